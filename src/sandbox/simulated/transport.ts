import http from 'node:http';
import { addAbortSignal } from 'node:stream';
import tls from 'node:tls';
import { GoError, goMessage, hostPort } from '../../cluster/go-errors.ts';
import { presented } from '../../cluster/tls-handshake.ts';
import { weakKeyFault, x509Fault } from '../../pki/go-x509.ts';
import { inspect } from '../../pki/inspect.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import type { Simulation } from './types.ts';

/** k8s.io/client-go/transport, TLSConfig. */
export interface TlsSettings {
  /** SNI, and the name that the certificate must have; without it no SNI is sent. */
  readonly serverName?: string;
  /** The trusted roots; without them every certificate is accepted. */
  readonly roots?: readonly CertificateInfo[];
  /** The client certificate, PEM. */
  readonly client?: { readonly cert: string; readonly key: string };
}

/** k8s.io/client-go/transport/cache.go. */
const dialMs = 30_000;
const handshakeMs = 10_000;
const idleConnections = 25;

/**
 * An agent for http.request over TLS 1.2 or newer. It verifies servers as Go does, before a byte of
 * a request is sent. Sessions are not resumed: a resumed one brings no certificate to verify.
 * @param simulation.signal - ends all connections
 */
export function createTransport(settings: TlsSettings, { now, signal }: Pick<Simulation, 'now' | 'signal'>): http.Agent {
  // OpenSSL accepts weak keys and signatures, so that `verify` refuses them with Go's message.
  const secureContext = tls.createSecureContext({ minVersion: 'TLSv1.2', ciphers: 'DEFAULT@SECLEVEL=0', ...settings.client });
  const agent = new http.Agent({ keepAlive: true, maxFreeSockets: idleConnections });
  agent.createConnection = ({ host, port }, connected) => {
    const route = { host: host ?? '', port: Number(port) };
    const socket = tls.connect({ ...route, servername: settings.serverName ?? '', secureContext, rejectUnauthorized: false });
    const remote = hostPort(route.host, route.port);
    let local: string | undefined;
    const giveUp = (message: string, afterMs: number) => setTimeout(() => socket.destroy(new GoError(message)), afterMs);
    let timer = giveUp(`dial tcp ${remote}: i/o timeout`, dialMs);
    let settled = false;
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      if (settled) return;
      settled = true;
      if (error) connected?.(new GoError(goMessage(error, { local, remote })), undefined as never);
      else connected?.(null, socket);
    };
    socket.once('connect', () => {
      clearTimeout(timer);
      timer = giveUp('net/http: TLS handshake timeout', handshakeMs);
      local = hostPort(socket.localAddress ?? '', socket.localPort);
    });
    socket.once('secureConnect', () => {
      const fault = verify(socket, settings, now());
      settle(fault);
      if (fault) socket.destroy();
    });
    socket.on('error', settle).once('close', () => settle(new GoError('EOF')));
    addAbortSignal(signal, socket);
    return undefined;
  };
  signal.addEventListener('abort', () => agent.destroy(), { once: true });
  return agent;
}

/** Closes idle connections, and the others after their requests. */
export function retire(agent: http.Agent): void {
  agent.maxFreeSockets = 0;
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
}

function verify(socket: tls.TLSSocket, { serverName: hostname = '', roots }: TlsSettings, now: Date): GoError | undefined {
  try {
    const certificates = presented(socket);
    const fault = roots && x509Fault({ presented: certificates, roots, hostname, now });
    if (fault !== undefined) return new GoError(`tls: failed to verify certificate: ${fault}`);
    const weak = weakKeyFault(certificates[0]);
    return weak === undefined ? undefined : new GoError(weak);
  } catch (error) {
    return new GoError(`tls: failed to parse certificate from server: x509: ${(error as Error).message}`);
  }
}

/**
 * The certificates of a caBundle, which is PEM in base64. None for an empty one: kube-apiserver
 * then uses the roots of its system, and no public CA issues for a name below .svc.
 * @throws GoError when it has none (k8s.io/client-go/transport/transport.go, rootCertPool)
 */
export function rootsOf(caBundle: string | undefined): readonly CertificateInfo[] {
  if (!caBundle) return [];
  const text = Buffer.from(caBundle, 'base64').toString('latin1');
  const { certificates } = inspect(text);
  if (certificates.length > 0) return certificates;
  const why = text.includes('-----BEGIN CERTIFICATE-----')
    ? 'failed to parse certificate: x509: malformed certificate'
    : 'unable to parse bytes as PEM block';
  throw new GoError(`unable to load root certificates: ${why}`);
}
