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
  const { code = '', syscall, hostname } = error as NodeJS.ErrnoException & { readonly hostname?: string };
  const errno = errnoMessages[code] ?? error.message;
  if (syscall === 'getaddrinfo') return `dial tcp: lookup ${hostname}: ${code === 'EAI_AGAIN' ? 'server misbehaving' : 'no such host'}`;
  if (syscall === 'connect') return `dial tcp ${remote}: connect: ${errno}`;
  if (syscall === 'read' || syscall === 'write') return `${syscall} tcp ${local}->${remote}: ${syscall}: ${errno}`;
  if (code === 'ECONNRESET') return 'EOF';
  if (code.startsWith('HPE_')) return malformed((error as { readonly rawPacket?: Buffer }).rawPacket);
  return code.startsWith('ERR_SSL_') ? tlsMessage(code, error.message) : error.message;
}

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
  45: 'expired certificate',
  46: 'unknown certificate',
  48: 'unknown certificate authority',
  70: 'protocol version not supported',
  80: 'internal error',
  112: 'unrecognized name',
  116: 'certificate required',
};

function tlsMessage(code: string, message: string): string {
  const alert = /SSL alert number (\d+)/.exec(message)?.[1];
  if (alert) return `remote error: tls: ${alerts[Number(alert)] ?? `alert(${alert})`}`;
  // OpenSSL does not tell HTTP from other bytes that are not TLS; HTTP is by far the likeliest.
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(code)) return 'http: server gave HTTP response to HTTPS client';
  return `tls: ${code.slice('ERR_SSL_'.length).toLowerCase().replaceAll('_', ' ')}`;
}

/** net/http ReadResponse. */
function malformed(packet: Buffer | undefined): string {
  const [line = ''] = (packet?.toString('latin1') ?? '').split(/\r?\n/);
  return `net/http: HTTP/1.x transport connection broken: malformed HTTP response ${JSON.stringify(line)}`;
}
