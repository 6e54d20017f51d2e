import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type Cluster, connect } from '../../../src/cluster/cluster.ts';

/**
 * A server on loopback with the answers of a test, and a connection to it with a kubeconfig file.
 */

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

type Handler = (request: Received, response: http.ServerResponse) => void;

export const never = new AbortController().signal;

/** The handler of a proxy for CONNECT. */
type Connector = (request: http.IncomingMessage, socket: Duplex) => void;

/** Starts a server, which stops with the test. @returns its URL */
export async function serve(handler: Handler, connector?: Connector): Promise<string> {
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    handler({ method, url, headers, body: Buffer.concat(chunks).toString() }, response);
  });
  if (connector) server.on('connect', connector);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export const kubeconfig = (server: string, name = 'test'): object => ({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': name,
  clusters: [{ name, cluster: { server } }],
  users: [{ name, user: { token: 'a-token' } }],
  contexts: [{ name, context: { cluster: name, user: name } }],
});

/** A directory with these files, which is removed after the test. */
export function filesOf(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'apisvc-unit-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

export async function clusterAt(
  server: string,
  options: Parameters<typeof connect>[0] = {},
  env: NodeJS.ProcessEnv = {},
): Promise<Cluster> {
  const dir = filesOf({ config: JSON.stringify(kubeconfig(server)) });
  const cluster = await connect({ kubeconfig: join(dir, 'config'), ...options }, env, never);
  onTestFinished(() => cluster.close());
  return cluster;
}

/** A cluster with the answers of the handler. */
export const clusterOf = async (handler: Handler): Promise<Cluster> => clusterAt(await serve(handler));

export const answer = (response: http.ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};

export const status = (code: number, reason: string, message: string, details: object = {}): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code,
  reason,
  message,
  details,
});

/**
 * The answer of kube-apiserver for an object that does not exist.
 * @param url - of a request for one object
 */
export function notFound(url: string): object {
  const name = decodeURIComponent(url.split('?')[0]?.split('/').at(-1) ?? '');
  return status(404, 'NotFound', `"${name}" not found`, { name });
}
