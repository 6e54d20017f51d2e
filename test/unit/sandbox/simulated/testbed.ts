import { mkdtempSync, rmSync } from 'node:fs';
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type tls from 'node:tls';
import { onTestFinished } from 'vitest';
import { createAuthority } from '../../../../src/pki/authority.ts';
import { extendedKeyUsage, subjectAltName } from '../../../../src/pki/extensions.ts';
import { sendFailure } from '../../../../src/sandbox/shared/answer.ts';
import { clientCertificate, controlPlaneFiles, frontProxyName, writePair } from '../../../../src/sandbox/shared/credentials.ts';
import type { KubernetesImitated } from '../../../../src/sandbox/shared/engine.ts';
import { ApiFailure } from '../../../../src/sandbox/shared/failure.ts';
import type { UserInfo } from '../../../../src/sandbox/shared/identity.ts';
import { requestInfoOf } from '../../../../src/sandbox/shared/request-info.ts';
import { availableCondition } from '../../../../src/sandbox/simulated/api-service.ts';
import { apiServiceKind, endpointSliceKind, serviceKind } from '../../../../src/sandbox/simulated/lookup.ts';
import { createStore } from '../../../../src/sandbox/simulated/store.ts';
import type { Call, Obj, Simulation } from '../../../../src/sandbox/simulated/types.ts';
import { type Made, make, makeCa, type Recipe } from '../../pki/certificates.ts';

/** A simulation without its server, and extension API servers on loopback. */

/** Not the time of the host: certificates are verified by the simulation's clock. */
export const now = new Date('2026-06-15T12:00:00Z');
export const host = '127.0.0.1';
export const name = 'v1.example.com';

export const versions = ['1.37', '1.35'] as const;
/** The condition of an APIService that works, and where kube-apiserver looks. */
export const passed = { status: 'True', reason: 'Passed', message: 'all checks passed' };
export const probed = (port: number): string => `https://${host}:${port}/apis/example.com/v1`;

/** Stopped after the test. */
export async function simulate(kubernetes: KubernetesImitated = '1.37'): Promise<Simulation & { frontProxyCa: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'apisvc-unit-'));
  const files = controlPlaneFiles(folder);
  const authority = await createAuthority({ commonName: 'front proxy', keyType: 'ecdsa-p256', lifetimeMs: 1e9, now: new Date() });
  await writePair(files.frontProxyClient, await clientCertificate(authority, frontProxyName, [], new Date()));
  const controller = new AbortController();
  onTestFinished(() => {
    controller.abort();
    rmSync(folder, { recursive: true });
  });
  const nobody = () => {
    throw new Error('no kubelet was expected to be asked');
  };
  return {
    store: createStore(() => now),
    kubernetes,
    files,
    kubelet: nobody,
    now: () => now,
    signal: controller.signal,
    frontProxyCa: authority.certificates,
  };
}

/** Starts a server on loopback, which is closed after the test. @returns its port */
export async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  return (server.address() as AddressInfo).port;
}

export const servingName = 'api.default.svc';
export const names = (...dns: string[]) => subjectAltName({ dns, ip: [] }, false);
export const forServers = extendedKeyUsage(['serverAuth']);

/** A valid certificate, unless the recipe changes it, and its CA. */
export async function certificates(recipe: Partial<Recipe> = {}): Promise<{ readonly ca: Made; readonly leaf: Made }> {
  const ca = await makeCa({ commonName: 'the CA' });
  return { ca, leaf: await make({ commonName: servingName, issuer: ca, extensions: [names(servingName), forServers], ...recipe }) };
}

export const bundleOf = (...made: readonly Made[]): string => Buffer.from(made.map(({ info }) => info.pem).join('')).toString('base64');

/**
 * An HTTPS server that asks for a client certificate.
 * @param made - the leaf, and the other certificates that it sends
 */
export const httpsServer = (made: readonly Made[], listener: RequestListener, options: tls.TlsOptions = {}): https.Server => {
  const [leaf] = made;
  const key = leaf?.keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' }) ?? '';
  return https.createServer(
    { cert: made.map(({ info }) => info.pem).join(''), key, requestCert: true, rejectUnauthorized: false, ...options },
    listener,
  );
};

/** Answers with a discovery document. */
export const answerOk = (_: IncomingMessage, response: ServerResponse): void =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end('{"kind":"APIResourceList","resources":[]}');

/** Creates a Service and an EndpointSlice that lead to a port on loopback. */
export function expose({ store }: Simulation, port: number, service: Obj = {}): void {
  store.create(serviceKind, {
    metadata: { name: 'api', namespace: 'default' },
    spec: { type: 'ClusterIP', ports: [{ port: 443 }], ...service },
  });
  store.create(endpointSliceKind, {
    metadata: { name: 'api-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'api' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [host], conditions: { ready: true } }],
    ports: [{ name: '', port, protocol: 'TCP' }],
  });
}

/** Creates the APIService v1.example.com. @param spec - changes of a valid one */
export const register = ({ store }: Simulation, spec: Obj, status: Obj = {}): Obj =>
  store.create(apiServiceKind, {
    metadata: { name },
    spec: {
      group: 'example.com',
      version: 'v1',
      groupPriorityMinimum: 1000,
      versionPriority: 15,
      service: { namespace: 'default', name: 'api', port: 443 },
      ...spec,
    },
    status,
  });

export const isAvailable = {
  conditions: [
    { type: 'Available', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z', reason: 'Passed', message: 'all checks passed' },
  ],
};

/** Waits for an Available condition that fits. */
export function condition({ store, signal }: Simulation, fits: (condition: Obj) => boolean = () => true): Promise<Obj> {
  return new Promise((resolve) => {
    const look = (): void => {
      const found = availableCondition(store.get(apiServiceKind, undefined, name));
      if (!found || !fits(found)) return;
      unsubscribe();
      resolve(found);
    };
    const unsubscribe = store.subscribe(look);
    signal.addEventListener('abort', unsubscribe, { once: true });
    look();
  });
}

/** Handles the requests of a front. */
export interface Handlers {
  answer(call: Call): Promise<unknown>;
}

export const jane: UserInfo = { name: 'jane', groups: ['dev', 'system:authenticated'], extra: {} };

/**
 * A server without TLS in place of the simulation's. All requests are by one user.
 * @returns its port
 */
export function front(handlers: Handlers, user: UserInfo = jane): Promise<number> {
  const common = (request: IncomingMessage) => {
    const url = new URL(request.url ?? '', 'http://front');
    return { request, url, info: requestInfoOf(request.method ?? '', url), user };
  };
  const server = http.createServer((request, response) => {
    response.setHeader('audit-id', 'an-audit');
    handlers.answer({ ...common(request), response }).catch((error) => {
      if (error instanceof ApiFailure) sendFailure(response, error);
      else response.destroy(error);
    });
  });
  return listen(server);
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** A request over a new connection. */
export function request(
  port: number,
  path: string,
  { body, ...options }: http.RequestOptions & { readonly body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = http.request({ host, port, path, agent: false, ...options }, (response) => {
      const { statusCode: status = 0, headers } = response;
      text(response).then((content) => resolve({ status, headers, body: content }), reject);
    });
    sent.on('error', reject).end(body);
  });
}

/** A promise, and its resolve function. */
export function later<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let keep: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    keep = resolve;
  });
  return { promise, resolve: (value) => keep(value) };
}
