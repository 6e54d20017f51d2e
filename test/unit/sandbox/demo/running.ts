import { writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import https from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createAuthority } from '../../../../src/pki/authority.ts';
import type { Authority, Leaf } from '../../../../src/pki/types.ts';
import { demoProgram } from '../../../../src/sandbox/demo/program.ts';
import { clientCertificate, servingCertificate } from '../../../../src/sandbox/shared/credentials.ts';
import type { RunningContainer } from '../../../../src/sandbox/shared/program.ts';
import { answer, filesOf, kubeconfig, type Received, serve, status } from '../../cluster/kube-api.ts';

/** The demo server over HTTPS, and a kube-apiserver that answers only its requests. */

const now = new Date();
export const authorityOf = (commonName: string): Promise<Authority> =>
  createAuthority({ commonName, keyType: 'ecdsa-p256', lifetimeMs: 1e10, now });

export const serverName = 'demo.demo.svc';
export const [servingCa, frontProxyCa, clientCa, otherCa] = (await Promise.all(
  ['serving', 'front-proxy', 'clients', 'other'].map(authorityOf),
)) as [Authority, Authority, Authority, Authority];
export const serving = (): Promise<Leaf> => servingCertificate(servingCa, serverName, [serverName], now);
export const clientOf = (ca: Authority, user: string, groups: readonly string[] = [], when = now): Promise<Leaf> =>
  clientCertificate(ca, user, groups, when);
/** The certificate of kube-apiserver's aggregator. */
export const frontProxy = await clientOf(frontProxyCa, 'front-proxy-client');

export const trustData = {
  'client-ca-file': clientCa.certificates,
  'requestheader-client-ca-file': frontProxyCa.certificates,
  'requestheader-allowed-names': '["front-proxy-client"]',
  'requestheader-username-headers': '["X-Remote-User"]',
  'requestheader-uid-headers': '["X-Remote-Uid"]',
  'requestheader-group-headers': '["X-Remote-Group"]',
  'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
};

// biome-ignore lint/suspicious/noExplicitAny: JSON.
type Json = any;

/** The state of kube-apiserver, which tests change while the server runs. */
export interface Core {
  trust: Readonly<Record<string, string>> | undefined;
  /** Answers a SubjectAccessReview; an Error denies the review itself. */
  allows: (spec: Json) => boolean | Error;
  /** Users by token. */
  readonly tokens: Readonly<Record<string, object>>;
  /** Specs of all reviews so far. */
  readonly asked: Json[];
  /** Sends a watch event after a change of `trust`. */
  changed?: () => void;
}

export const core = (more: Partial<Core> = {}): Core => ({ trust: trustData, allows: () => true, tokens: {}, asked: [], ...more });

function answerAs(known: Core, { method, url, body }: Received, response: ServerResponse): void {
  const configMap = {
    metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system', resourceVersion: '1' },
    data: known.trust,
  };
  if (method === 'POST') review(known, JSON.parse(body), response);
  else if (!url.includes('?')) {
    const message = 'configmaps "extension-apiserver-authentication" not found';
    const missing = status(404, 'NotFound', message, { name: 'extension-apiserver-authentication' });
    if (known.trust) answer(response, 200, configMap);
    else answer(response, 404, missing);
  } else if (!url.includes('watch=true')) {
    answer(response, 200, { metadata: { resourceVersion: '1' }, items: [configMap] });
  } else {
    response.writeHead(200).flushHeaders();
    known.changed = () => response.write(`${JSON.stringify({ type: 'MODIFIED', object: { ...configMap, data: known.trust } })}\n`);
  }
}

function review(known: Core, { kind, spec }: Json, response: ServerResponse): void {
  known.asked.push(spec);
  if (kind === 'TokenReview') {
    const user = known.tokens[spec.token];
    answer(response, 201, { status: user ? { authenticated: true, user } : { error: 'invalid bearer token' } });
    return;
  }
  const decision = known.allows(spec);
  if (decision instanceof Error) answer(response, 403, status(403, 'Forbidden', decision.message));
  else answer(response, 201, { status: { allowed: decision, reason: decision ? 'RBAC: allowed' : 'no rule' } });
}

export interface Answered {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The serial number of the serving certificate. */
  readonly serial: string;
}

export interface Asking {
  readonly method?: string;
  readonly client?: Leaf;
  readonly headers?: OutgoingHttpHeaders;
}

export interface Running {
  readonly port: number;
  /** Holds tls.crt and tls.key. */
  readonly dir: string;
  readonly said: () => string;
  readonly container: RunningContainer;
  /** Sends a request over a new connection and verifies the certificate as kube-apiserver does. */
  get(path: string, asking?: Asking): Promise<Answered>;
  json(path: string, asking?: Asking): Promise<Json>;
}

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function writePair(dir: string, { certificates, key }: Leaf): void {
  writeFileSync(join(dir, 'tls.crt'), certificates);
  writeFileSync(join(dir, 'tls.key'), key.reveal());
}

/** Starts the program as the node does, until the test ends. @param args default: valid flags */
export async function start(known: Core, args?: readonly string[]): Promise<Running> {
  const url = await serve((request, response) => answerAs(known, request, response));
  const dir = filesOf({ config: JSON.stringify(kubeconfig(url)) });
  writePair(dir, await serving());
  const port = await unusedPort();
  const files = [`--tls-cert-file=${join(dir, 'tls.crt')}`, `--tls-private-key-file=${join(dir, 'tls.key')}`];
  let said = '';
  const container = await demoProgram.start({
    namespace: 'demo',
    pod: 'demo-1',
    name: 'demo',
    command: [],
    args: args ?? ['--secure-port=8443', ...files],
    env: {},
    kubeconfig: join(dir, 'config'),
    mounts: {},
    podAddress: '127.0.0.1',
    port,
    declaredPort: 8443,
    log: (text) => {
      said += text;
    },
  });
  onTestFinished(() => container.stop());
  const get = (path: string, asking: Asking = {}) => request(port, path, asking);
  return { port, dir, container, said: () => said, get, json: async (path, asking) => JSON.parse((await get(path, asking)).text) };
}

/** Starts the program and waits until it serves. */
export async function startServing(known: Core = core()): Promise<Running> {
  const running = await start(known);
  await until(() => /^serving /m.test(running.said()));
  return running;
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 20)))
    if (await holds()) return;
  throw new Error('timed out waiting for the condition');
}

function request(port: number, path: string, { method = 'GET', client, headers = {} }: Asking): Promise<Answered> {
  const identity = client ? { cert: client.certificates, key: client.key.reveal() } : {};
  return new Promise((resolve, reject) => {
    const outgoing = https.request({
      host: '127.0.0.1',
      port,
      path,
      method,
      servername: serverName,
      ca: servingCa.certificates,
      agent: false,
      headers,
      ...identity,
    });
    outgoing.on('error', reject).on('response', async (response) => {
      const { serialNumber = '' } =
        outgoing.socket && 'getPeerX509Certificate' in outgoing.socket ? ((outgoing.socket as Json).getPeerX509Certificate() ?? {}) : {};
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ code: response.statusCode ?? 0, headers: response.headers, text, serial: serialNumber });
    });
    outgoing.end();
  });
}

/** A request of the front proxy for a user. */
export const as = (user: string, groups: readonly string[] = [], more: OutgoingHttpHeaders = {}): Asking => ({
  client: frontProxy,
  headers: { 'x-remote-user': user, 'x-remote-group': [...groups], ...more },
});
