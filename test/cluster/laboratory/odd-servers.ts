import type { RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer, TLSSocket, type TlsOptions } from 'node:tls';
import { type Backend, listen, type ServingPair } from '../harness/backends.ts';

/** Servers that are something else than an extension API server, or a bad one. `host` is where they listen; the host's end of the cable to the cluster at hand without it. */

const certified = ({ certificates, key }: ServingPair): TlsOptions => ({ cert: certificates, key });

/** Answers every request as it likes. Clients may show a certificate. */
export const serveRequests = (serving: ServingPair, listener: RequestListener, host?: string): Promise<Backend> =>
  listen(createHttpsServer({ ...certified(serving), requestCert: true, rejectUnauthorized: false }, listener), 0, host);

/** Whether a request comes with a client certificate, as those of kube-apiserver do. */
export const hasClientCertificate = (socket: Socket): boolean => socket instanceof TLSSocket && !!socket.getPeerX509Certificate();

/** Accepts connections and ends them at once. */
export const serveHangUp = (): Promise<Backend> => listen(createTcpServer((socket) => socket.destroy()));

/** Ends every handshake with an alert, since it has no certificate to show. */
export const serveAlerts = (host?: string): Promise<Backend> => listen(createTlsServer(), 0, host);

/** Speaks TLS 1.1 at most; OpenSSL itself does so only when security is switched off. */
export const serveOldTls = (serving: ServingPair, host?: string): Promise<Backend> =>
  listen(createTlsServer({ ...certified(serving), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), 0, host);

/** Speaks TLS, and then says the same words to whoever connects. */
export const serveGreeting = (serving: ServingPair, words: string, host?: string): Promise<Backend> =>
  listen(
    createTlsServer(certified(serving), (socket) => void socket.end(words).on('error', () => {})),
    0,
    host,
  );

/** Ends the connection once it has got a request. */
export const serveCutOff = (serving: ServingPair, host?: string): Promise<Backend> =>
  serveRequests(serving, ({ socket }) => void socket.destroy(), host);

/** Answers after a while. */
export const serveLate = (serving: ServingPair, ms: number, body: unknown, host?: string): Promise<Backend> =>
  serveRequests(
    serving,
    async (_, response) => {
      await sleep(ms, undefined, { ref: false });
      response.end(JSON.stringify(body));
    },
    host,
  );
