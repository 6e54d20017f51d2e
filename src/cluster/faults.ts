import { ClusterError } from '../errors.ts';

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name lookup failed',
  ETIMEDOUT: 'timed out',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  EADDRNOTAVAIL: 'no such local address',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed and not the one in the kubeconfig',
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not signed by the kubeconfig's certificate-authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not signed by the kubeconfig's certificate-authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not signed by the kubeconfig's certificate-authority",
  CERT_SIGNATURE_FAILURE: "its certificate is not signed by the kubeconfig's certificate-authority",
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
};

/** The reason for a failed connection, in place of the error code of Node. */
export function connectionFault(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'timed out';
  if (error instanceof AggregateError && error.errors.length > 0) return connectionFault(error.errors[0]);
  const { code, message } = error as NodeJS.ErrnoException;
  if (code && reasons[code]) return reasons[code];
  // Errors of OpenSSL have the form `error:0A00010B:SSL routines:function:reason:file:line:` and a
  // line end.
  const [, reason] = /SSL routines:[^:]*:([^:\n]+)/.exec(message) ?? [];
  return reason ? `TLS: ${reason}` : message || code || String(error);
}

/**
 * Why the credentials of a kubeconfig are not available, without the messages of Node: a program or
 * a file that cannot be used, or what a credential plugin wrote to stderr.
 */
export function credentialsFault(error: unknown): string {
  const { code, syscall = '', path, message } = error as NodeJS.ErrnoException;
  if (error instanceof SyntaxError) return 'the credential plugin did not print an ExecCredential as JSON';
  const what = syscall.startsWith('spawn') ? `command "${path}"` : path;
  if (code !== undefined && what !== undefined) return `${what} ${fileFaults[code] ?? `cannot be used (${code})`}`;
  return message.trim().split('\n')[0] || 'the credential plugin failed without a message';
}

const fileFaults: Readonly<Record<string, string>> = {
  ENOENT: 'not found',
  EACCES: 'cannot be used: permission denied',
  EISDIR: 'is a directory',
};

/**
 * The alert of a server that requires a client certificate (RFC 8446 6.2, certificate_required).
 */
export const certificateRequired = /alert certificate required/;

/** No answer came. Of all failures of the cluster, only this one may pass by itself. */
export class Unreachable extends ClusterError {}

/** Whether the cluster answered and refused the request. */
export const wasRefused = (error: unknown): error is ClusterError => error instanceof ClusterError && !(error instanceof Unreachable);

/** The error for a kube-apiserver that does not answer. */
export function unreachable(cause: unknown, server: string, context: string): Unreachable {
  return new Unreachable(`failed to connect to the cluster at ${server} (context "${context}"): ${connectionFault(cause)}`, {
    fix: 'Check that the cluster is running, and that --context and --kubeconfig select the right one.',
    cause,
  });
}
