import type { RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer, TLSSocket, type TlsOptions } from 'node:tls';
import { type Backend, listen, type ServingPair } from '../harness/backends.ts';

/**
 * Servers that are broken or not extension API servers. They listen on `host`, by default the
 * address of the host in the network of the current cluster.
 */

const certified = ({ certificates, key }: ServingPair): TlsOptions => ({ cert: certificates, key });

/** Answers every request with a listener. Clients may send a certificate. */
export const serveRequests = (serving: ServingPair, listener: RequestListener, host?: string): Promise<Backend> =>
  listen(createHttpsServer({ ...certified(serving), requestCert: true, rejectUnauthorized: false }, listener), 0, host);

/** Whether a request has a client certificate, as those of kube-apiserver do. */
export const hasClientCertificate = (socket: Socket): boolean => socket instanceof TLSSocket && !!socket.getPeerX509Certificate();

/** Accepts connections and closes them at once. */
export const serveHangUp = (): Promise<Backend> => listen(createTcpServer((socket) => socket.destroy()));

/** Aborts every TLS handshake with an alert, because it has no certificate. */
export const serveAlerts = (host?: string): Promise<Backend> => listen(createTlsServer(), 0, host);

/** Supports only TLS 1.1 and older. OpenSSL requires security level 0 for this. */
export const serveOldTls = (serving: ServingPair, host?: string): Promise<Backend> =>
  listen(createTlsServer({ ...certified(serving), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), 0, host);

/** Sends a greeting over TLS to every client. */
export const serveGreeting = (serving: ServingPair, words: string, host?: string): Promise<Backend> =>
  listen(
    createTlsServer(certified(serving), (socket) => void socket.end(words).on('error', () => {})),
    0,
    host,
  );

/** Closes the connection after it receives a request. */
export const serveCutOff = (serving: ServingPair, host?: string): Promise<Backend> =>
  serveRequests(serving, ({ socket }) => void socket.destroy(), host);

/** Answers after a delay. */
export const serveLate = (serving: ServingPair, ms: number, body: unknown, host?: string): Promise<Backend> =>
  serveRequests(
    serving,
    async (_, response) => {
      await sleep(ms, undefined, { ref: false });
      response.end(JSON.stringify(body));
    },
    host,
  );
