import { once, setMaxListeners } from 'node:events';
import type { Server } from 'node:https';
import { type Cluster, connect } from '../../cluster/cluster.ts';
import { inspect } from '../../pki/inspect.ts';
import type { ContainerStart, Program } from '../shared/program.ts';
import { createAuthenticator } from './authentication.ts';
import { createAuthorizer } from './authorization.ts';
import { followClientTrust, lookUpClientTrust } from './client-trust.ts';
import { type Flags, readFlags } from './flags.ts';
import { type Credentials, createDemoServer, tlsOptions } from './server.ts';
import { followServingPair, readServingPair, type ServingPair } from './serving-pair.ts';

/** The image that stands for this server in a Deployment. No registry has it: only the sandbox can run it. */
export const demoImage = 'apisvc.dev/demo:1';

/**
 * An extension API server as an example of how one behaves: it serves this machine's load and memory, read only. It runs in this process; what it would
 * print goes to the log of its container, and what would end its process ends the container with exit code 1.
 */
export const demoProgram: Program = {
  async start(container) {
    const end = new AbortController();
    // Every request of its delegation listens to it.
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

/** Serves until the signal. @throws what keeps it from serving; the signal's reason */
async function run(container: ContainerStart, signal: AbortSignal): Promise<void> {
  const log = (line: string): void => container.log(`${line}\n`);
  const flags = readFlags(container.args);
  const cluster = await connect({ kubeconfig: container.kubeconfig }, {}, signal);
  try {
    const current = { pair: await readServingPair(flags), trust: await lookUpClientTrust(cluster, signal) };
    const authenticate = createAuthenticator(cluster, () => current.trust, signal);
    const delegation = { authenticate, authorize: createAuthorizer(cluster, signal) };
    const server = createDemoServer(flags.api, tlsOptions(current), delegation, log);
    await once(server.listen(portOf(flags, container), addressOf(container)), 'listening');
    log(`serving ${flags.api.group}/${flags.api.version} at port ${portOf(flags, container)} with ${describe(current.pair)}`);
    try {
      await keepCurrent(server, current, { flags, cluster, log, signal });
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

/** Takes up new certificates and new CAs, for new connections, until the signal. @throws the signal's reason */
async function keepCurrent(server: Server, current: Credentials, { flags, cluster, log, signal }: Sources): Promise<void> {
  const failed = (error: Error): void => log(`Error: ${error.message}`);
  const take = (found: Partial<Credentials>): void => {
    server.setSecureContext(tlsOptions({ ...current, ...found }));
    Object.assign(current, found);
  };
  const takePair = (pair: ServingPair): void => {
    take({ pair });
    log(`serving from now on with ${describe(pair)}`);
  };
  await Promise.all([
    followServingPair(flags, current.pair, { use: takePair, failed, signal }),
    followClientTrust(cluster, { use: (trust) => take({ trust }), failed, signal }),
  ]);
}

/** The port that the container declares may be in use on this host, which all pods share; the sandbox then gives another one in its place. */
const portOf = ({ securePort }: Flags, { port, declaredPort }: ContainerStart): number =>
  securePort === declaredPort ? (port ?? securePort) : securePort;

const loopback = '127.0.0.1';

/** Where loopback is enough, it is not shown to the network. */
const addressOf = ({ podAddress }: ContainerStart): string => (podAddress === loopback ? loopback : '0.0.0.0');

/** Which certificate it is, for the log. */
function describe({ cert }: ServingPair): string {
  const [leaf] = inspect(cert).certificates;
  return leaf ? `certificate ${leaf.subject}, serial ${leaf.serial}` : 'no certificate';
}
