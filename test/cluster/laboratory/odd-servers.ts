import type { RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer, TLSSocket, type TlsOptions } from 'node:tls';
import { type Backend, listen, type ServingPair } from '../harness/backends.ts';

/** Servers that are something else than an extension API server, or a bad one. */

const certified = ({ certificates, key }: ServingPair): TlsOptions => ({ cert: certificates, key });

/** Answers every request as it likes. Clients may show a certificate. */
export const serveRequests = (serving: ServingPair, listener: RequestListener): Promise<Backend> =>
  listen(createHttpsServer({ ...certified(serving), requestCert: true, rejectUnauthorized: false }, listener));

/** Whether a request comes with a client certificate, as those of kube-apiserver do. */
export const hasClientCertificate = (socket: Socket): boolean => socket instanceof TLSSocket && !!socket.getPeerX509Certificate();

/** Accepts connections and ends them at once. */
export const serveHangUp = (): Promise<Backend> => listen(createTcpServer((socket) => socket.destroy()));

/** Ends every handshake with an alert, since it has no certificate to show. */
export const serveAlerts = (): Promise<Backend> => listen(createTlsServer());

/** Speaks TLS 1.1 at most; OpenSSL itself does so only when security is switched off. */
export const serveOldTls = (serving: ServingPair): Promise<Backend> =>
  listen(createTlsServer({ ...certified(serving), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));

/** Speaks TLS, and then says the same words to whoever connects. */
export const serveGreeting = (serving: ServingPair, words: string): Promise<Backend> =>
  listen(createTlsServer(certified(serving), (socket) => void socket.end(words).on('error', () => {})));

/** Ends the connection once it has got a request. */
export const serveCutOff = (serving: ServingPair): Promise<Backend> => serveRequests(serving, ({ socket }) => void socket.destroy());

/** Answers after a while. */
export const serveLate = (serving: ServingPair, ms: number, body: unknown): Promise<Backend> =>
  serveRequests(serving, async (_, response) => {
    await sleep(ms, undefined, { ref: false });
    response.end(JSON.stringify(body));
  });
