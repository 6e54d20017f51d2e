import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ListenAddress, listenError } from './listen.ts';

/** What a path answers. */
export interface Page {
  readonly status?: number;
  readonly type: string;
  readonly body: string;
}

export const text = (body: string, status = 200): Page => ({ status, type: 'text/plain; charset=utf-8', body: `${body}\n` });

/** Pages by path. They get the query. */
export type Pages = Readonly<Record<string, (query: URLSearchParams) => Promise<Page> | Page>>;

/**
 * Requests are small, and a client that sends or reads slowly holds a connection only this long.
 */
const limits = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
};
const idleMs = 30_000;
const connections = 64;

/** Every page has untrusted text of a cluster. A browser must not run or guess anything. */
const headers = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export interface RunningServer {
  readonly port: number;
  /** Ends after the requests in progress, at most a second later. */
  close(): Promise<void>;
}

/**
 * Serves pages by HTTP, for GET and HEAD only.
 * @throws UsageError when the address cannot be used; MachineError
 */
export async function servePages(address: ListenAddress, pages: Pages): Promise<RunningServer> {
  const server = createServer(limits, (request, response) => {
    answer(pages, request, response).catch(() => response.destroy());
  });
  server.maxConnections = connections;
  server.timeout = idleMs;
  server.listen(address.port, address.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError(address, error as NodeJS.ErrnoException);
  }
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

async function answer(pages: Pages, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A body is not read: the connection ends with the answer.
  if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined)
    response.shouldKeepAlive = false;
  const { status = 200, type, body } = await pageOf(pages, request);
  response.writeHead(status, {
    ...headers,
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function pageOf(pages: Pages, { method, url = '/' }: IncomingMessage): Promise<Page> {
  if (method !== 'GET' && method !== 'HEAD') return text('only GET and HEAD are allowed', 405);
  const [path = '/', query = ''] = url.split('?', 2);
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  return page ? page(new URLSearchParams(query)) : text('not found', 404);
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), 1_000);
  await closed;
  clearTimeout(timer);
}
