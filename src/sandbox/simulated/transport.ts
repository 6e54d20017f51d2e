import http from 'node:http';
import { addAbortSignal } from 'node:stream';
import tls from 'node:tls';
import { presented } from '../../cluster/tls-handshake.ts';
import { inspect } from '../../pki/inspect.ts';
import { pemBlocks } from '../../pki/pem-blocks.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { GoError, goWords, hostPort } from './go-errors.ts';
import { weakKeyWords, x509Words } from './go-x509.ts';
import type { Simulation } from './types.ts';

/** How a server is met (k8s.io/client-go/transport, TLSConfig). */
export interface TlsSettings {
  /** SNI and the name that the certificate must hold; without it no SNI is sent. */
  readonly serverName?: string;
  /** What its certificates must lead to; without it they are not looked at. */
  readonly roots?: readonly CertificateInfo[];
  /** Shown when it asks for one. PEM. */
  readonly client?: { readonly cert: string; readonly key: string };
}

/** k8s.io/client-go/transport/cache.go. */
const dialMs = 30_000;
const handshakeMs = 10_000;
const idleConnections = 25;

/**
 * Keeps connections to servers over TLS 1.2 or newer. A server is judged as Go judges it, before a
 * byte of a request is sent; there are no resumed sessions, which would bring no certificate to
 * judge.
 * @param simulation.signal - ends all of its connections
 * @returns an agent for http.request, whose errors `goWords` understands
 */
export function createTransport(settings: TlsSettings, { now, signal }: Pick<Simulation, 'now' | 'signal'>): http.Agent {
  // What is too weak is for the judge to refuse, in its own words.
  const secureContext = tls.createSecureContext({ minVersion: 'TLSv1.2', ciphers: 'DEFAULT@SECLEVEL=0', ...settings.client });
  const agent = new http.Agent({ keepAlive: true, maxFreeSockets: idleConnections });
  agent.createConnection = ({ host, port }, connected) => {
    const route = { host: host ?? '', port: Number(port) };
    const socket = tls.connect({ ...route, servername: settings.serverName ?? '', secureContext, rejectUnauthorized: false });
    const remote = hostPort(route.host, route.port);
    let local: string | undefined;
    const giveUp = (words: string, afterMs: number) => setTimeout(() => socket.destroy(new GoError(words)), afterMs);
    let timer = giveUp(`dial tcp ${remote}: i/o timeout`, dialMs);
    let settled = false;
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      if (settled) return;
      settled = true;
      if (error) connected?.(new GoError(goWords(error, { local, remote })), undefined as never);
      else connected?.(null, socket);
    };
    socket.once('connect', () => {
      clearTimeout(timer);
      timer = giveUp('net/http: TLS handshake timeout', handshakeMs);
      local = hostPort(socket.localAddress ?? '', socket.localPort);
    });
    socket.once('secureConnect', () => {
      const fault = judge(socket, settings, now());
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

/** Lets an agent end as its requests do. */
export function retire(agent: http.Agent): void {
  agent.maxFreeSockets = 0;
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
}

function judge(socket: tls.TLSSocket, { serverName: hostname = '', roots }: TlsSettings, now: Date): GoError | undefined {
  try {
    const certificates = presented(socket);
    const words = roots && x509Words({ presented: certificates, roots, hostname, now });
    const weak = weakKeyWords(certificates[0]);
    if (words === undefined) return weak === undefined ? undefined : new GoError(weak);
    return new GoError(`tls: failed to verify certificate: ${words}`);
  } catch (error) {
    return new GoError(`tls: failed to parse certificate from server: x509: ${(error as Error).message}`);
  }
}

/**
 * The certificates of a caBundle; none for an empty one: kube-apiserver takes the roots of its
 * system then, and no public authority issues for a name that ends in .svc.
 * @param caBundle - base64 of PEM
 * @throws GoError when there is none to be found (k8s.io/client-go/transport/transport.go,
 * rootCertPool)
 */
export function rootsOf(caBundle: string | undefined): readonly CertificateInfo[] {
  if (!caBundle) return [];
  const text = Buffer.from(caBundle, 'base64').toString('latin1');
  const { certificates } = inspect(text);
  if (certificates.length > 0) return certificates;
  const blocks = pemBlocks(text).filter(({ der }) => der);
  const afterLast = /-----END [^\n]*(?:\n|$)([\s\S]*)$/.exec(text.slice(text.lastIndexOf('-----END ')))?.[1];
  const damaged = blocks.some(({ label, headers }) => label === 'CERTIFICATE' && headers.length === 0);
  const why = damaged
    ? 'failed to parse certificate: x509: malformed certificate'
    : blocks.length > 0 && afterLast === ''
      ? 'no valid certificate authority data seen'
      : 'unable to parse bytes as PEM block';
  throw new GoError(`unable to load root certificates: ${why}`);
}
