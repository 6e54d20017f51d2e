/** An error whose message is what Go would say. */
export class GoError extends Error {}

/**
 * The two ends of a connection, `address:port` each; the nearer one is not known before it is
 * connected.
 */
export interface Ends {
  readonly local?: string | undefined;
  readonly remote: string;
}

/** `1.2.3.4:443`, `[::1]:443` (net.JoinHostPort). */
export const hostPort = (host: string, port: number | undefined): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/**
 * What Go's net, crypto/tls and net/http say where Node reports an error of a connection or of the
 * HTTP on it.
 * @returns the words from the system call on, e.g. `dial tcp 127.0.0.1:1: connect: connection
 * refused`
 */
export function goWords(error: Error, { local = '', remote }: Ends): string {
  if (error instanceof GoError) return error.message;
  const { code = '', syscall, hostname } = error as NodeJS.ErrnoException & { readonly hostname?: string };
  const errno = errnoWords[code] ?? error.message;
  if (syscall === 'getaddrinfo') return `dial tcp: lookup ${hostname}: ${code === 'EAI_AGAIN' ? 'server misbehaving' : 'no such host'}`;
  if (syscall === 'connect') return `dial tcp ${remote}: connect: ${errno}`;
  if (syscall === 'read' || syscall === 'write') return `${syscall} tcp ${local}->${remote}: ${syscall}: ${errno}`;
  if (code === 'ECONNRESET') return 'EOF';
  if (code.startsWith('HPE_')) return malformed((error as { readonly rawPacket?: Buffer }).rawPacket);
  return code.startsWith('ERR_SSL_') ? tlsWords(code, error.message) : error.message;
}

/** From the C library, as Go's syscall has them. */
const errnoWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EPIPE: 'broken pipe',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EINVAL: 'invalid argument',
};

/**
 * Those that servers send before they answer (RFC 8446 section 6), in the words of
 * crypto/tls/alert.go.
 */
const alerts: Readonly<Record<number, string>> = {
  40: 'handshake failure',
  42: 'bad certificate',
  45: 'expired certificate',
  46: 'unknown certificate',
  48: 'unknown certificate authority',
  70: 'protocol version not supported',
  80: 'internal error',
  109: 'missing extension',
  112: 'unrecognized name',
  116: 'certificate required',
};

function tlsWords(code: string, message: string): string {
  const alert = /SSL alert number (\d+)/.exec(message)?.[1];
  if (alert) return `remote error: tls: ${alerts[Number(alert)] ?? `alert(${alert})`}`;
  // Go tells HTTP from other bytes that are no TLS; OpenSSL does not, and hardly anything else
  // listens in the place of an API server.
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(code)) return 'http: server gave HTTP response to HTTPS client';
  return `tls: ${code.slice('ERR_SSL_'.length).toLowerCase().replaceAll('_', ' ')}`;
}

/** net/http ReadResponse. */
function malformed(packet: Buffer | undefined): string {
  const [line = ''] = (packet?.toString('latin1') ?? '').split(/\r?\n/);
  const [, status] = /^\S* (.*)$/.exec(line) ?? [];
  const [code = ''] = (status ?? '').split(' ');
  const what = status === undefined ? `HTTP response ${JSON.stringify(line)}` : `HTTP status code ${JSON.stringify(code)}`;
  return `net/http: HTTP/1.x transport connection broken: malformed ${what}`;
}
