import { once, setMaxListeners } from 'node:events';
import type { Server } from 'node:https';
import { type Cluster, connect } from '../../cluster/cluster.ts';
import { inspect } from '../../pki/inspect.ts';
import type { ContainerStart, Program } from '../shared/program.ts';
import { loadClientTrust, watchClientTrust } from './client-trust.ts';
import { createDelegation } from './delegation.ts';
import { type Flags, readFlags } from './flags.ts';
import { type Credentials, createDemoServer, tlsOptions } from './server.ts';
import { makeServingPair, readServingPair, type ServingPair, watchServingPair } from './serving-pair.ts';

/** The image of this server in a Deployment. No registry has it: only the sandbox can run it. */
export const demoImage = 'apisvc.dev/demo:1';

/**
 * An extension API server as an example: it serves the load and memory of this host, read-only. It
 * runs inside apisvc; an error ends its container with exit code 1.
 */
export const demoProgram: Program = {
  async start(container) {
    const end = new AbortController();
    // Node reports many listeners as a leak, but every delegated request listens.
    setMaxListeners(0, end.signal);
    const ended = run(container, end.signal).then(
      () => 0,
      (error: Error) => {
        if (end.signal.aborted) return 0;
        container.log(`Error: ${error.message}\n`);
        return 1;
      },
    );
    return {
      ended,
      async stop() {
        end.abort();
        await ended;
      },
    };
  },
};

/** Serves until the signal aborts. @throws what prevents that; the reason of the signal */
async function run(container: ContainerStart, signal: AbortSignal): Promise<void> {
  const log = (line: string): void => container.log(`${line}\n`);
  const flags = readFlags(container.args);
  const cluster = await connect({ kubeconfig: container.kubeconfig }, {}, signal);
  try {
    const current = {
      pair: await (flags.files ? readServingPair(flags.files) : makeServingPair(new Date())),
      trust: await loadClientTrust(cluster, signal),
    };
    const delegation = createDelegation(cluster, () => current.trust, signal);
    const server = createDemoServer(flags.api, tlsOptions(current), delegation, log);
    await once(server.listen(portOf(flags, container), addressOf(container)), 'listening');
    log(`serving ${flags.api.group}/${flags.api.version} on port ${portOf(flags, container)} with ${describe(current.pair)}`);
    try {
      await reload(server, current, { flags, cluster, log, signal });
    } finally {
      server.close();
      server.closeAllConnections();
    }
  } finally {
    cluster.close();
  }
}

interface Sources {
  readonly flags: Flags;
  readonly cluster: Cluster;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Uses new certificates and CAs for new connections. @throws the reason of the signal */
async function reload(server: Server, current: Credentials, { flags, cluster, log, signal }: Sources): Promise<void> {
  const onError = (error: Error): void => log(`Error: ${error.message}`);
  const use = (changed: Partial<Credentials>): void => {
    server.setSecureContext(tlsOptions({ ...current, ...changed }));
    Object.assign(current, changed);
  };
  const usePair = (pair: ServingPair): void => {
    use({ pair });
    log(`reloaded the serving certificate: ${describe(pair)}`);
  };
  await Promise.all([
    flags.files && watchServingPair(flags.files, current.pair, { onChange: usePair, onError, signal }),
    watchClientTrust(cluster, { onChange: (trust) => use({ trust }), onError, signal }),
  ]);
}

/** All pods share the ports of this host, so the sandbox may assign another one. */
const portOf = ({ securePort }: Flags, { port, declaredPort }: ContainerStart): number =>
  securePort === declaredPort ? (port ?? securePort) : securePort;

const loopback = '127.0.0.1';

/** Where pods are on loopback, the server must not be reachable from the network. */
const addressOf = ({ podAddress }: ContainerStart): string => (podAddress === loopback ? loopback : '0.0.0.0');

/** Identifies a certificate in the log. */
function describe({ cert }: ServingPair): string {
  const [leaf] = inspect(cert).certificates;
  return leaf ? `certificate ${leaf.subject}, serial ${leaf.serial}` : 'no certificate';
}
