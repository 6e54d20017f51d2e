import type { RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, createServer as createTlsServer, TLSSocket, type TlsOptions } from 'node:tls';
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

/** Has a certificate only for clients that send a server name. */
export const serveBySni = (serving: ServingPair, listener: RequestListener): Promise<Backend> => {
  const SNICallback: TlsOptions['SNICallback'] = (_, chosen) => chosen(null, createSecureContext(certified(serving)));
  return listen(createHttpsServer({ SNICallback, requestCert: true, rejectUnauthorized: false }, listener));
};

/** Refuses clients that send a server name, as it knows none. */
export const serveUnnamed = (serving: ServingPair, listener: RequestListener): Promise<Backend> => {
  const SNICallback: TlsOptions['SNICallback'] = (_, chosen) => chosen(new Error('unrecognized name'));
  return listen(createHttpsServer({ ...certified(serving), SNICallback, requestCert: true, rejectUnauthorized: false }, listener));
};

/** Starts every TLS handshake after a delay. */
export const serveHesitantly = async (serving: ServingPair, ms: number, listener: RequestListener): Promise<Backend> => {
  const server = createHttpsServer({ ...certified(serving), requestCert: true, rejectUnauthorized: false }, listener);
  return listen(
    createTcpServer({ pauseOnConnect: true }, async (socket) => {
      await sleep(ms, undefined, { ref: false });
      server.emit('connection', socket);
    }),
  );
};

/** Accepts only clients with a certificate from this CA: PEM. */
export const serveToClientsOf = (serving: ServingPair, clientCa: string, listener: RequestListener): Promise<Backend> =>
  listen(createHttpsServer({ ...certified(serving), ca: clientCa, requestCert: true, rejectUnauthorized: true }, listener));
