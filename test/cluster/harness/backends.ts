import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { cluster } from './provided.ts';

/**
 * Small servers that stand in for an extension API server and can fail in ways that a real one does
 * not. They listen at the host's address in the network of the control plane, so kube-apiserver
 * reaches them without a separate process.
 */

export const backendAddress = cluster.network.hostAddress;

export interface Backend {
  /** Chosen by the operating system unless the caller passes one. */
  readonly port: number;
  stop(): Promise<void>;
}

/** PEM texts: the certificates that the handshake sends, and the key of the first one. */
export interface ServingPair {
  readonly certificates: string;
  readonly key: string;
}

export interface Reply {
  readonly status?: number;
  readonly body: unknown;
  /** The name of a user, as in X-Remote-User, whose requests get status 403. */
  readonly forbids?: string;
  /** Requests without X-Remote-Group get status 403, as they would from RBAC. */
  readonly needsGroup?: boolean;
  /** Paths that begin so are answered after this time, in milliseconds. */
  readonly late?: { readonly path: string; readonly ms: number };
}

/** The discovery document of a working extension API server for a group and version. */
export const resourceList = (groupVersion: string, ...names: string[]): object => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: names.map((name) => ({ name, singularName: '', namespaced: true, kind: name, verbs: ['get', 'list'] })),
});

/** Without this, OpenSSL refuses to serve the weakest keys and signatures. */
const anyStrength = { ciphers: 'DEFAULT@SECLEVEL=0' };

/**
 * Serves one reply over TLS. A request without a client certificate gets status 401, as from
 * k8s.io/apiserver.
 */
export const serveHttps = ({ certificates, key }: ServingPair, reply: Reply, port = 0, host = backendAddress): Promise<Backend> =>
  listen(
    createHttpsServer({ cert: certificates, key, ...anyStrength, requestCert: true, rejectUnauthorized: false }, replyWith(reply)),
    port,
    host,
  );

/** Serves one reply without TLS. */
export const serveHttp = (reply: Reply, host?: string): Promise<Backend> => listen(createHttpServer(replyWith(reply)), 0, host);

/** Accepts connections and never responds. */
export const serveSilence = (host?: string): Promise<Backend> => listen(createTcpServer(), 0, host);

const replyWith =
  ({ status = 200, body, forbids, needsGroup = false, late }: Reply): RequestListener =>
  async ({ headers, socket, url }, response) => {
    if (late && url?.startsWith(late.path)) await sleep(late.ms, undefined, { ref: false });
    const ungrouped = needsGroup && headers['x-remote-group'] === undefined;
    const forbidden = ungrouped || (forbids !== undefined && headers['x-remote-user'] === forbids);
    const code = isAnonymous(socket) ? 401 : forbidden ? 403 : status;
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

const isAnonymous = (socket: Socket): boolean => socket instanceof TLSSocket && !socket.getPeerX509Certificate();

/** Finds a port where nothing listens: it was free a moment ago. */
export async function unusedPort(): Promise<number> {
  const { port, stop } = await serveSilence();
  await stop();
  return port;
}

export async function listen(server: Server, port = 0, host = backendAddress): Promise<Backend> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    // A client that gives up resets the connection. The client reports that, not the server.
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { port: (server.address() as AddressInfo).port, stop };
}
