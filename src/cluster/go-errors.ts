/** An error with the message of Go. */
export class GoError extends Error {}

/** The ends of a connection as `address:port`; the local one is known once it is connected. */
export interface Ends {
  readonly local?: string | undefined;
  readonly remote: string;
}

/** `1.2.3.4:443`, `[::1]:443` (net.JoinHostPort). */
export const hostPort = (host: string, port: number | undefined): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/**
 * Translates an error of a connection into the message of Go's net, crypto/tls or net/http: the
 * Available condition quotes it, and verify reads it there.
 * @returns e.g. `dial tcp 127.0.0.1:1: connect: connection refused`
 */
export function goMessage(error: Error, { local = '', remote }: Ends): string {
  if (error instanceof GoError) return error.message;
  // One error for each address of a host name.
  if (error instanceof AggregateError && error.errors.length > 0) return goMessage(error.errors[0], { local, remote });
  const { code = '', syscall, hostname, address, port } = error as ConnectError;
  const tls = tlsFault(error);
  if (tls !== undefined) return tls;
  const errno = errnoMessages[code] ?? error.message;
  if (syscall === 'getaddrinfo') return `dial tcp: lookup ${hostname}: ${code === 'EAI_AGAIN' ? 'server misbehaving' : 'no such host'}`;
  if (syscall === 'connect') return `dial tcp ${address ? hostPort(address, port) : remote}: connect: ${errno}`;
  if (syscall === 'read' || syscall === 'write') return `${syscall} tcp ${local && `${local}->`}${remote}: ${syscall}: ${errno}`;
  // The response had begun.
  if (code === 'ECONNRESET') return error.message === 'aborted' ? 'unexpected EOF' : 'EOF';
  if (code.startsWith('HPE_')) return malformed((error as { readonly rawPacket?: Buffer }).rawPacket);
  return error.message;
}

interface ConnectError extends NodeJS.ErrnoException {
  readonly hostname?: string;
  readonly address?: string;
  readonly port?: number;
}

/** `error:0A00010B:SSL routines:ssl3_get_record:wrong version number:...` */
const opensslReason = /SSL routines:[^:]*:([^:\n]+)/;
const reasonOf = (code: string): string => code.slice('ERR_SSL_'.length).toLowerCase().replaceAll('_', ' ');

const errnoMessages: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EPIPE: 'broken pipe',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
};

/** Alerts of RFC 8446 section 6 in the words of crypto/tls/alert.go. */
const alerts: Readonly<Record<number, string>> = {
  40: 'handshake failure',
  42: 'bad certificate',
  43: 'unsupported certificate',
  44: 'revoked certificate',
  45: 'expired certificate',
  46: 'unknown certificate',
  48: 'unknown certificate authority',
  49: 'access denied',
  51: 'error decrypting message',
  70: 'protocol version not supported',
  71: 'insufficient security level',
  80: 'internal error',
  112: 'unrecognized name',
  116: 'certificate required',
  120: 'no application protocol',
};

/**
 * The message of crypto/tls for an error of OpenSSL in a connection.
 * @returns undefined for other errors
 */
export function tlsFault({ code = '', message }: NodeJS.ErrnoException): string | undefined {
  const reason = opensslReason.exec(message)?.[1] ?? (code.startsWith('ERR_SSL_') ? reasonOf(code) : undefined);
  if (reason === undefined) return undefined;
  const alert = /SSL alert number (\d+)/.exec(message)?.[1];
  if (alert) return `remote error: tls: ${alerts[Number(alert)] ?? `alert(${alert})`}`;
  // OpenSSL does not tell HTTP from other bytes that are not TLS; HTTP is by far the likeliest.
  if (/wrong version number|packet length too long|http request/.test(reason)) return notTls.http;
  return reason === 'unsupported protocol' ? 'tls: protocol version not supported' : `tls: ${reason}`;
}

/** What a server sends that does not speak TLS: an answer in HTTP, or something else. */
export const notTls = {
  http: 'http: server gave HTTP response to HTTPS client',
  other: 'tls: first record does not look like a TLS handshake',
} as const;

/** net/http ReadResponse. */
function malformed(packet: Buffer | undefined): string {
  const [line = ''] = (packet?.toString('latin1') ?? '').split(/\r?\n/);
  return `net/http: HTTP/1.x transport connection broken: malformed HTTP response ${JSON.stringify(line)}`;
}
