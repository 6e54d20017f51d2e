import { isIP } from 'node:net';
import tls from 'node:tls';
import { certificateInfo } from '../pki/inspect.ts';
import type { CertificateInfo } from '../pki/types.ts';
import { connectionFault } from './faults.ts';
import type { DialFault, Handshake } from './handshake.ts';

/** Where to connect, and the server name to ask for. */
export interface DialTarget {
  readonly address: string;
  readonly port: number;
  /** SNI: `<service>.<namespace>.svc`, as kube-apiserver sends it (k8s.io/kube-aggregator/pkg/apiserver/handler_proxy.go). */
  readonly serverName: string;
}

const dialTimeoutMs = 5_000;

/**
 * Makes the TLS handshake that kube-apiserver would make and returns the certificates that the server sends, without judging them: that is
 * the diagnosis' part. Nothing is sent after the handshake, no client certificate is offered.
 * @throws the signal's reason when it is aborted; every other failure is part of the answer
 */
export function dial({ address, port, serverName }: DialTarget, signal: AbortSignal): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = tls.connect({
      host: address,
      port,
      // Node rejects an IP address as server name, and so does RFC 6066.
      ...(isIP(serverName) ? {} : { servername: serverName }),
      minVersion: 'TLSv1.2',
      // The certificate is to be seen, not believed: nothing is sent over this connection.
      rejectUnauthorized: false,
      ca: [],
    });
    const finish = (handshake: Handshake): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(handshake);
    };
    const abort = (): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(signal.reason);
    };
    // A socket's own time-out counts idle time only; a server that trickles bytes would hold us for ever.
    const timer = setTimeout(() => finish({ kind: 'failed', fault: 'timeout', words: 'timed out' }), dialTimeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('secureConnect', () => finish(served(socket)));
    socket.on('error', (error) => finish({ kind: 'failed', fault: dialFault(error), words: connectionFault(error) }));
    socket.once('close', () => finish({ kind: 'failed', fault: 'reset', words: 'the server closed the connection during the handshake' }));
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

/** The certificates in the order in which each is signed by the next. A self-signed one is its own issuer, which ends the list. */
function presented(socket: tls.TLSSocket): CertificateInfo[] {
  const found: CertificateInfo[] = [];
  let certificate: tls.DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw && !found.some(({ fingerprint }) => fingerprint === certificate?.fingerprint256)) {
    found.push(certificateInfo(certificate.raw));
    certificate = certificate.issuerCertificate;
  }
  return found;
}

/** `10.0.0.1:443`, `[fd00::1]:443`. */
export const formatAddress = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

const faultOfCode: Readonly<Record<string, DialFault>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'no-route',
  ENETUNREACH: 'no-route',
  EADDRNOTAVAIL: 'no-route',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not-tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'not-tls',
  ERR_SSL_HTTP_REQUEST: 'not-tls',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'other',
};

const dialFault = (error: NodeJS.ErrnoException): DialFault => faultOfCode[error.code ?? ''] ?? 'other';
