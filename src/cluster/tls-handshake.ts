import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { certificateInfo } from '../pki/inspect.ts';
import type { CertificateInfo } from '../pki/types.ts';
import { connectionFault } from './faults.ts';
import type { DialFault, Handshake } from './handshake.ts';
import { PortForwardFault } from './port-stream.ts';

/** What a handshake is made over, and how. */
export interface HandshakeOptions {
  /** Where to connect, or what is connected already and belongs to the handshake from now on. */
  readonly to: { readonly host: string; readonly port: number } | { readonly socket: Duplex };
  /** SNI: `<service>.<namespace>.svc`, as kube-apiserver sends it (k8s.io/kube-aggregator/pkg/apiserver/handler_proxy.go). */
  readonly serverName: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

let context: tls.SecureContext | undefined;

/** One for all connections: to make one takes as long as a handshake. */
function secureContext(): tls.SecureContext {
  context ??= tls.createSecureContext({ minVersion: 'TLSv1.2', ca: [] });
  return context;
}

/** TLS as kube-apiserver speaks it, without its client certificate, and without judging the server's: that is to be seen, not believed. */
export const asStranger = (serverName: string): tls.ConnectionOptions => ({
  // Node rejects an IP address as server name, and so does RFC 6066.
  ...(isIP(serverName) ? {} : { servername: serverName }),
  secureContext: secureContext(),
  rejectUnauthorized: false,
});

/**
 * Makes the TLS handshake that kube-apiserver would make and returns the certificates that the server sends, without judging them: that is
 * the diagnosis' part. Nothing is sent over this connection after the handshake, no client certificate is offered.
 * @throws the signal's reason when it is aborted; every other failure is part of the answer
 */
export function handshake({ to, serverName, timeoutMs, signal }: HandshakeOptions): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = tls.connect({
      ...to,
      ...asStranger(serverName),
    });
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
    };
    const finish = (handshake: Handshake): void => {
      end();
      resolve(handshake);
    };
    const abort = (): void => {
      end();
      reject(signal.reason);
    };
    const fail = (error: Error): void => finish({ kind: 'failed', fault: dialFault(error), words: connectionFault(error) });
    // A socket's own time-out counts idle time only; a server that trickles bytes would hold us for ever.
    const timer = setTimeout(() => finish({ kind: 'failed', fault: 'timeout', words: 'timed out' }), timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('secureConnect', () => finish(served(socket)));
    socket.on('error', fail);
    socket.once('close', () => finish({ kind: 'failed', fault: 'reset', words: 'the server closed the connection during the handshake' }));
    if ('socket' in to) {
      to.socket.on('error', fail);
      // It may have failed before anybody listened.
      if (to.socket.errored) fail(to.socket.errored);
    }
  });
}

function served(socket: tls.TLSSocket): Handshake {
  try {
    return { kind: 'served', protocol: socket.getProtocol() ?? '', certificates: presented(socket) };
  } catch (error) {
    // OpenSSL lets pass what Go's parser, and ours, refuse.
    return { kind: 'failed', fault: 'other', words: `it sends a certificate that can't be read: ${(error as Error).message}` };
  }
}

/**
 * The certificates as the server sends them, the leaf first, whether or not one leads to the next: getPeerCertificate would leave out those that don't.
 * To be asked once only: on a client Node takes the leaf off OpenSSL's list as it reads it.
 */
export function presented(socket: tls.TLSSocket): CertificateInfo[] {
  const found: CertificateInfo[] = [];
  for (let certificate = socket.getPeerX509Certificate(); certificate; certificate = certificate.issuerCertificate) {
    found.push(certificateInfo(certificate.raw));
  }
  return found;
}

const faultOfCode: Readonly<Record<string, DialFault>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'no-route',
  ENETUNREACH: 'no-route',
  EADDRNOTAVAIL: 'no-route',
  // kube-apiserver asks the DNS of its own machine.
  ENOTFOUND: 'no-route',
  EAI_AGAIN: 'no-route',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not-tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'not-tls',
  ERR_SSL_HTTP_REQUEST: 'not-tls',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'other',
};

function dialFault(error: NodeJS.ErrnoException): DialFault {
  return error instanceof PortForwardFault ? error.fault : (faultOfCode[error.code ?? ''] ?? 'other');
}
