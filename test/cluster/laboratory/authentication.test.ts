import { mkdtempSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { vi } from 'vitest';
import { startProcess } from '../../../src/sandbox/shared/process.ts';
import { type Backend, backendAddress, type Reply, type ServingPair, unusedPort } from '../harness/backends.ts';
import { makeCa, pem } from '../harness/certificates.ts';
import { program } from '../harness/programs.ts';
import { cluster } from '../harness/provided.ts';
import { failedWith, passed } from '../harness/registrations.ts';
import { asReader, reader } from './expect-findings.ts';
import { describeFaults, type HandMadeFault, servingPair, validReply } from './hand-made.ts';
import { hasClientCertificate, serveRequests } from './odd-servers.ts';

/** Authentication and authorization in the server. */

const otherCa = await makeCa('another client CA');

const replying =
  (reply: Partial<Reply>): HandMadeFault['make'] =>
  async (name, bench) => ({ port: await bench.serve(name, undefined, { ...validReply(name), ...reply }) });

/** Serves the allowed requests, and answers 401 to the others. */
const allowing =
  (letsIn: (request: IncomingMessage) => boolean): HandMadeFault['make'] =>
  async (name, bench) => {
    const serving = serveRequests(await servingPair(name, bench), (request, response) => {
      if (!letsIn(request)) response.statusCode = 401;
      response.end(JSON.stringify(validReply(name).body));
    });
    return { port: await bench.keep(serving) };
  };

/**
 * etcd, which verifies client certificates during the TLS handshake. Node.js only closes the
 * connection.
 */
async function serveEtcd({ certificates, key }: ServingPair, clientCa: string): Promise<Backend> {
  const dir = mkdtempSync(join(cluster.stateDir, 'etcd-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const [port, peerPort] = [await unusedPort(), await unusedPort()];
  const [url, peerUrl] = [`https://${backendAddress}:${port}`, `http://${backendAddress}:${peerPort}`];
  const listening = [`--listen-client-urls=${url}`, `--advertise-client-urls=${url}`];
  const peers = [`--listen-peer-urls=${peerUrl}`, `--initial-advertise-peer-urls=${peerUrl}`, `--initial-cluster=default=${peerUrl}`];
  const tls = [`--cert-file=${file('tls.crt', certificates)}`, `--key-file=${file('tls.key', key)}`];
  const clients = ['--client-cert-auth', `--trusted-ca-file=${file('ca.crt', clientCa)}`];
  const etcd = startProcess({
    name: 'etcd',
    command: [program(cluster.programs, 'etcd'), `--data-dir=${join(dir, 'data')}`, ...listening, ...peers, ...tls, ...clients],
    enter: [],
    logFile: join(dir, 'etcd.log'),
  });
  await vi.waitFor(() => connected(port), { timeout: 60_000, interval: 200 });
  return { port, stop: etcd.stop };
}

const connected = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, backendAddress, () => resolve(void socket.destroy()));
    socket.once('error', reject);
  });

const faults: readonly HandMadeFault[] = [
  {
    name: 'distrustful',
    how: 'the server does not authenticate kube-apiserver (401)',
    codes: ['auth/proxy-not-trusted'],
    condition: failedWith('bad status from .*: 401'),
    make: replying({ status: 401, body: 'Unauthorized' }),
  },
  {
    name: 'refusing',
    how: 'the server refuses kube-apiserver (403)',
    codes: ['auth/refused-by-server'],
    condition: failedWith('bad status from .*: 403'),
    make: replying({ status: 403, body: 'Forbidden' }),
  },
  {
    name: 'refusing-people',
    how: 'the server refuses a request that RBAC allows (403)',
    codes: ['auth/refused-by-server'],
    condition: passed,
    make: replying({ forbids: 'admin' }),
  },
  {
    name: 'refusing-jane',
    how: 'the server refuses the user in --as-user',
    codes: ['auth/refused-by-server'],
    condition: passed,
    make: replying({ forbids: reader }),
    options: asReader,
  },
  {
    name: 'letting-jane-in',
    how: 'nothing: the user in --as-user has access',
    codes: [],
    condition: passed,
    make: replying({}),
    options: asReader,
  },
  {
    // Every authenticated user may read discovery (ClusterRole system:discovery).
    name: 'without-rbac',
    how: 'RBAC does not allow the user in --as-user to get the API',
    codes: ['auth/user-not-allowed'],
    condition: passed,
    make: replying({}),
    options: { flags: ['--as-user', 'system:anonymous'] },
  },
  {
    name: 'other-client-ca',
    how: 'the server requires client certificates from a CA other than the front-proxy CA',
    codes: ['auth/proxy-certificate-refused'],
    condition: failedWith(
      '(remote error: tls: (bad certificate|unknown certificate authority|certificate required)|write: broken pipe|http2: client conn)',
    ),
    make: async (name, bench) => ({ port: await bench.keep(serveEtcd(await servingPair(name, bench), pem(otherCa))) }),
  },
  {
    name: 'credulous',
    how: 'the server accepts X-Remote-User without a client certificate',
    codes: ['security/forged-identity-accepted'],
    condition: passed,
    make: allowing(({ socket, headers }) => hasClientCertificate(socket) || headers['x-remote-user'] !== undefined),
  },
  {
    name: 'open-to-all',
    how: 'the server accepts anonymous requests',
    codes: ['security/anonymous-access'],
    condition: passed,
    make: allowing(() => true),
  },
  {
    name: 'insecure',
    how: 'the APIService has insecureSkipTLSVerify instead of a caBundle',
    codes: ['security/insecure-skip-tls-verify'],
    condition: passed,
    make: async (name, bench) => ({ port: await bench.serve(name), apiServiceSpec: { caBundle: undefined, insecureSkipTLSVerify: true } }),
  },
];

describeFaults('authentication', faults);
