import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { fileReason } from '../config/file-errors.ts';
import { hostFilter, type ListenAddress, listenError } from './listen.ts';

/** What a path answers. */
export interface Page {
  readonly status?: number;
  readonly type: string;
  readonly body: string;
}

export const text = (body: string, status = 200): Page => ({ status, type: 'text/plain; charset=utf-8', body: `${body}\n` });

/** Pages by path. They get the query. */
export type Pages = Readonly<Record<string, (query: URLSearchParams) => Promise<Page> | Page>>;

/** Requests are small. A client that sends one slowly, or nothing, is closed. */
const limits = {
  maxHeaderSize: 8_192,
  headersTimeout: 2_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};

/** How long a client may read a response. Meanwhile, the page is in memory. */
const responseMs = 30_000;

const connections = 64;

/** A client may send requests without reading the responses. */
const requestsPerConnection = 16;

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
 * @param log gets what goes wrong while it serves, each problem once
 * @throws UsageError when the address cannot be used; MachineError
 */
export async function servePages(address: ListenAddress, pages: Pages, log: (line: string) => void): Promise<RunningServer> {
  const server = createServer(limits);
  server.maxRequestsPerSocket = requestsPerConnection;
  limitConnections(server);
  server.listen(address.port, address.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError(address, error as NodeJS.ErrnoException);
  }
  const { address: bound, port } = server.address() as AddressInfo;
  const isAccepted = hostFilter(address, bound);
  const logOnce = onceEach(log);
  server.on('request', (request, response) => {
    onTurn(response, () => {
      limitTime(response);
      const page = isAccepted(request.headers.host) ? pageOf(pages, request) : otherHost;
      answer(page, request, response).catch((error: Error) => {
        logOnce(`failed to answer a request: ${error.message}`);
        response.destroy();
      });
    });
  });
  // A connection that cannot be accepted, for example with too many open files. The server goes on
  // listening (nodejs.org, net.Server).
  server.on('error', (error) => logOnce(`failed to accept a connection: ${fileReason(error)}`));
  return { port, close: () => close(server) };
}

/**
 * Calls back when a response gets the socket. One that waits behind others has none, and emits no
 * `close` when the client disconnects (Node.js, lib/_http_server.js): a page or a timer would stay
 * in memory.
 */
function onTurn(response: ServerResponse, start: () => void): void {
  if (response.socket) start();
  else response.once('socket', start);
}

function limitTime(response: ServerResponse): void {
  const timer = setTimeout(() => response.socket?.destroy(), responseMs);
  response.once('close', () => clearTimeout(timer));
}

/**
 * Closes a connection for one too many. With `maxConnections`, Node.js would refuse the new one,
 * and clients that send nothing would lock out the probes of kubelet.
 */
function limitConnections(server: Server): void {
  /** The number of requests in progress of each connection, the oldest first. */
  const open = new Map<Socket, number>();
  const add = (socket: Socket, change: number): void => {
    const requests = open.get(socket);
    if (requests !== undefined) open.set(socket, requests + change);
  };
  server.on('connection', (socket) => {
    if (open.size >= connections) {
      const closed = mostDispensable(open);
      if (closed) open.delete(closed);
      closed?.destroy();
    }
    open.set(socket, 0);
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    add(socket, 1);
    response.once('close', () => add(socket, -1));
  });
}

/**
 * The oldest connection without a request in progress, or with one where more than half have one.
 * Half of the connections stay for either kind: clients that send nothing do not end a response,
 * and clients that read slowly do not leave a new connection without time for its request.
 */
function mostDispensable(open: ReadonlyMap<Socket, number>): Socket | undefined {
  const sockets = [...open.keys()];
  const busy = sockets.filter((socket) => open.get(socket) !== 0);
  return busy.length > connections / 2 ? busy[0] : sockets.find((socket) => open.get(socket) === 0);
}

/** Logs each line only once. */
function onceEach(log: (line: string) => void): (line: string) => void {
  const logged = new Set<string>();
  return (line) => {
    if (!logged.has(line)) log(line);
    logged.add(line);
  };
}

async function answer(page: Promise<Page> | Page, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A body is not read: the connection ends with the answer.
  if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined)
    response.shouldKeepAlive = false;
  const { status = 200, type, body } = await page;
  response.writeHead(status, {
    ...headers,
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

const otherHost = text('forbidden: the Host header must be localhost, a loopback address, or the address of --listen', 403);

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
