import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { cluster } from './provided.ts';

/**
 * Small servers in the place of an extension API server, for what a real one never does. They listen at the host's end of the cable
 * to the control plane's namespace, so kube-apiserver reaches them and they need no process of their own.
 */
export const backendAddress = cluster.network.hostAddress;

export interface Backend {
  /** The system picks a free one. */
  readonly port: number;
  stop(): Promise<void>;
}

/** PEM texts: what is sent in the handshake, and the key of its first certificate. */
export interface ServingPair {
  readonly certificates: string;
  readonly key: string;
}

export interface Reply {
  readonly status?: number;
  readonly body: unknown;
  /** A user whom the server itself answers 403, by the name that kube-apiserver passes on. */
  readonly forbids?: string;
  /** Whoever is in no group is answered 403, as by RBAC. */
  readonly needsGroup?: boolean;
}

/** The discovery document that a sound extension API server gives for a group and version. */
export const resourceList = (groupVersion: string, ...names: string[]): object => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: names.map((name) => ({ name, singularName: '', namespaced: true, kind: name, verbs: ['get', 'list'] })),
});

/** OpenSSL would not serve the weakest keys and signatures. */
const anyStrength = { ciphers: 'DEFAULT@SECLEVEL=0' };

/** Gives one reply to every request over TLS that comes with a client certificate; without one nobody is believed, as by k8s.io/apiserver. */
export const serveHttps = ({ certificates, key }: ServingPair, reply: Reply, port = 0, host = backendAddress): Promise<Backend> =>
  listen(
    createHttpsServer({ cert: certificates, key, ...anyStrength, requestCert: true, rejectUnauthorized: false }, replyWith(reply)),
    port,
    host,
  );

/** The same without TLS. */
export const serveHttp = (reply: Reply, host?: string): Promise<Backend> => listen(createHttpServer(replyWith(reply)), 0, host);

/** Accepts connections and never says a word. */
export const serveSilence = (host?: string): Promise<Backend> => listen(createTcpServer(), 0, host);

const replyWith =
  ({ status = 200, body, forbids, needsGroup = false }: Reply): RequestListener =>
  ({ headers, socket }, response) => {
    const ungrouped = needsGroup && headers['x-remote-group'] === undefined;
    const forbidden = ungrouped || (forbids !== undefined && headers['x-remote-user'] === forbids);
    const code = isAnonymous(socket) ? 401 : forbidden ? 403 : status;
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

const isAnonymous = (socket: Socket): boolean => socket instanceof TLSSocket && !socket.getPeerX509Certificate();

/** An address where nothing listens: the port was free a moment ago. */
export async function unusedPort(): Promise<number> {
  const { port, stop } = await serveSilence();
  await stop();
  return port;
}

export async function listen(server: Server, port = 0, host = backendAddress): Promise<Backend> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    // Clients that give up reset the connection; that is theirs to report.
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
