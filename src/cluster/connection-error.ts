import { STATUS_CODES } from 'node:http';
import net from 'node:net';
import { withoutPassword } from '../config/redact.ts';
import { x509Fault } from '../pki/go-x509.ts';
import { inspect } from '../pki/inspect.ts';
import { addressOf, connectionFix, type Destination } from './connection-fix.ts';
import { type Received, Unreachable } from './faults.ts';
import { goMessage, hostPort, notTls } from './go-errors.ts';
import { handshake } from './tls-handshake.ts';

/** How far a request came before its time limit. */
export type Stage = 'dial' | 'handshake' | 'headers' | 'body';

/** The stage of a request, and the signal that ends it. */
export interface Progress {
  readonly stage: Stage;
  readonly signal: AbortSignal;
  /** What arrived of the answer. */
  readonly received?: Received | undefined;
}

/**
 * The error for a kube-apiserver that does not answer, in the words of kubectl, which are those of
 * Go's net, net/http, crypto/tls and crypto/x509. Looks at a server again whose certificate is not
 * trusted or that does not speak TLS, because the errors of OpenSSL lack the details.
 * @param cause of Node or OpenSSL
 * @param at.signal ends the second look
 */
export async function unreachable(cause: unknown, to: Destination, at: Progress): Promise<Unreachable> {
  const { message: why, names } = await reasonOf(cause as NodeJS.ErrnoException, to, at);
  const notes: Readonly<Record<string, string>> = { EOF: ' (the server closed the connection)' };
  return new Unreachable(
    `failed to connect to the cluster at ${withoutPassword(to.server)} (context "${to.context}"): ${why}${notes[why] ?? ''}`,
    {
      fix: connectionFix(why, to, names),
      cause,
      received: at.received,
    },
  );
}

interface Reason {
  readonly message: string;
  /** The names in the certificate of the server. */
  readonly names?: readonly string[];
}

async function reasonOf(cause: NodeJS.ErrnoException, to: Destination, { stage, signal }: Progress): Promise<Reason> {
  const { host, port } = addressOf(to.server);
  const remote = hostPort(host, port);
  if (cause instanceof DOMException && cause.name === 'TimeoutError')
    return { message: timeoutMessage(stage, to.proxy ? undefined : remote) };
  const certificate = certificateCodes[cause.code ?? ''];
  if (certificate !== undefined) return (await certificateFault(to, signal)) ?? { message: untrusted(certificate) };
  const refused = /^Bad response: (\d+)$/.exec(cause.message)?.[1];
  if (refused) return { message: `proxyconnect tcp: ${refused} ${STATUS_CODES[refused] ?? ''}`.trim() };
  const message = goMessage(cause, { remote });
  if (message === notTls.http && !to.proxy && !(await speaksHttp(host, port, signal))) return { message: notTls.other };
  return { message: to.proxy && message.startsWith('dial tcp') ? `proxyconnect tcp: ${message}` : message };
}

const untrusted = (x509: string): string => `tls: failed to verify certificate: ${x509}`;

/** @param remote undefined for a proxy */
function timeoutMessage(stage: Stage, remote: string | undefined): string {
  if (stage === 'dial') return remote ? `dial tcp ${remote}: i/o timeout` : 'proxyconnect tcp: i/o timeout';
  if (stage === 'handshake') return 'net/http: TLS handshake timeout';
  return stage === 'headers' ? 'net/http: timeout awaiting response headers' : 'i/o timeout while reading the response body';
}

/**
 * The errors of OpenSSL and Node about the certificate of a server, where looking again finds
 * nothing.
 */
const unknownAuthority = 'x509: certificate signed by unknown authority';
const outOfDate = 'x509: certificate has expired or is not yet valid';
const certificateCodes: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  CERT_SIGNATURE_FAILURE: unknownAuthority,
  CERT_UNTRUSTED: unknownAuthority,
  INVALID_CA: 'x509: certificate is not authorized to sign other certificates',
  INVALID_PURPOSE: 'x509: certificate specifies an incompatible key usage',
  PATH_LENGTH_EXCEEDED: 'x509: too many intermediates for path length constraint',
  CERT_HAS_EXPIRED: outOfDate,
  CERT_NOT_YET_VALID: outOfDate,
  ERR_TLS_CERT_ALTNAME_INVALID: 'x509: certificate is not valid for the name of the server',
};

const lookAgainMs = 5_000;

/** The fault that Go finds in the certificates of the server; undefined when it cannot be told. */
async function certificateFault({ server, tlsServerName, ca, proxy }: Destination, signal: AbortSignal): Promise<Reason | undefined> {
  if (proxy) return undefined;
  const { host, port } = addressOf(server);
  const hostname = tlsServerName ?? host;
  const served = await handshake({ to: { host, port }, serverName: hostname, timeoutMs: lookAgainMs, signal }).catch(() => undefined);
  if (served?.kind !== 'served') return undefined;
  const roots = ca === undefined ? [] : inspect(ca).certificates;
  const fault = x509Fault({ presented: served.certificates, roots, hostname, now: new Date() });
  const [leaf] = served.certificates;
  return fault === undefined ? undefined : { message: untrusted(fault), names: [...(leaf?.dnsNames ?? []), ...(leaf?.ipAddresses ?? [])] };
}

/** Whether a server answers in plain HTTP. */
function speaksHttp(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, signal, timeout: lookAgainMs });
    const finish = (found: boolean) => (): void => {
      socket.destroy();
      resolve(found);
    };
    socket.once('connect', () => socket.write(`GET / HTTP/1.1\r\nHost: ${hostPort(host, port)}\r\nConnection: close\r\n\r\n`));
    socket.once('data', (bytes) => finish(bytes.subarray(0, 5).toString('latin1') === 'HTTP/')());
    socket.once('timeout', finish(false)).once('error', finish(false)).once('close', finish(false));
  });
}
