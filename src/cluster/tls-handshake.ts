import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { certificateInfo } from '../pki/inspect.ts';
import type { CertificateInfo } from '../pki/types.ts';
import { connectionFault } from './faults.ts';
import type { DialFault, Handshake } from './handshake.ts';
import { PortForwardFault } from './port-stream.ts';

/** Options of `handshake`. */
export interface HandshakeOptions {
  /** An address to connect to, or an open connection, which `handshake` closes. */
  readonly to: { readonly host: string; readonly port: number } | { readonly socket: Duplex };
  /**
   * SNI: `<service>.<namespace>.svc`, as kube-apiserver sends it
   * (k8s.io/kube-aggregator/pkg/apiserver/handler_proxy.go). Empty to send none.
   */
  readonly serverName: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

let context: tls.SecureContext | undefined;

/** Shared by all connections, because creating one takes as long as a handshake. */
function secureContext(): tls.SecureContext {
  context ??= tls.createSecureContext({ minVersion: 'TLSv1.2', ca: [] });
  return context;
}

/**
 * The TLS options of kube-apiserver, but without a client certificate and without verification: the
 * certificate is recorded, not trusted.
 */
export const anonymousTls = (serverName: string): tls.ConnectionOptions => ({
  // RFC 6066 does not allow an IP address as server name, and Node rejects it.
  ...(isIP(serverName) || serverName === '' ? {} : { servername: serverName }),
  secureContext: secureContext(),
  rejectUnauthorized: false,
});

/**
 * Makes the TLS handshake of kube-apiserver and returns the certificates of the server without
 * verifying them, which is up to the diagnosis. Sends nothing after the handshake, and no client
 * certificate.
 * @throws the reason of the signal; any other failure is part of the result
 */
export function handshake({ to, serverName, timeoutMs, signal }: HandshakeOptions): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = tls.connect({
      ...to,
      ...anonymousTls(serverName),
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
    // The time-out of a socket counts idle time only, so a server that trickles bytes would never
    // end.
    let connected = 'socket' in to;
    const timer = setTimeout(() => finish(timedOut(connected)), timeoutMs);
    socket.once('connect', () => {
      connected = true;
    });
    signal.addEventListener('abort', abort, { once: true });
    socket.once('secureConnect', () => finish(served(socket)));
    socket.on('error', fail);
    socket.once('close', () => finish({ kind: 'failed', fault: 'reset', words: 'the server closed the connection during the handshake' }));
    if ('socket' in to) {
      to.socket.on('error', fail);
      // The stream may have failed before the listener was added.
      if (to.socket.errored) fail(to.socket.errored);
    }
  });
}

const timedOut = (connected: boolean): Handshake =>
  connected
    ? { kind: 'failed', fault: 'tls-timeout', words: 'the TLS handshake timed out' }
    : { kind: 'failed', fault: 'timeout', words: 'timed out' };

function served(socket: tls.TLSSocket): Handshake {
  try {
    return { kind: 'served', protocol: socket.getProtocol() ?? '', certificates: presented(socket) };
  } catch (error) {
    // OpenSSL accepts certificates that Go's parser, and ours, reject.
    return { kind: 'failed', fault: 'other', words: `it sends an unreadable certificate: ${(error as Error).message}` };
  }
}

/**
 * The certificates that the server sends, the leaf first. getPeerCertificate would leave out those
 * that do not form a chain. Call it only once: on a client, Node removes the leaf from OpenSSL's
 * list as it reads it.
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
  // kube-apiserver uses another DNS resolver.
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
