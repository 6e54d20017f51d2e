import { ClusterError, type ErrorDetails } from '../errors.ts';
import { tlsFault } from './go-errors.ts';

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
};

/** The reason for a failed connection, in place of the error code of Node. */
export function connectionFault(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'timed out';
  if (error instanceof AggregateError && error.errors.length > 0) return connectionFault(error.errors[0]);
  const { code, message } = error as NodeJS.ErrnoException;
  if (code && reasons[code]) return reasons[code];
  return tlsFault(error as NodeJS.ErrnoException) ?? (message || code || String(error));
}

/**
 * The alert of a server that requires a client certificate (RFC 8446 6.2, certificate_required).
 */
export const certificateRequired = /certificate required/;

/** A credential plugin failed. Its fix may be the install hint, which is text of the kubeconfig. */
export class PluginError extends ClusterError {}

/** What arrived of an answer that did not end. */
export interface Received {
  readonly status: number;
  /** Bytes of the body. */
  readonly bytes: number;
}

/** No complete answer came. Of all failures of the cluster, only this one may pass by itself. */
export class Unreachable extends ClusterError {
  /** Undefined if not even the headers of an answer came. */
  readonly received: Received | undefined;

  constructor(message: string, { received, ...details }: ErrorDetails & { readonly received?: Received | undefined } = {}) {
    super(message, details);
    this.received = received;
  }

  /** Whether the time limit of the request ended it. */
  get timedOut(): boolean {
    return this.cause instanceof DOMException && this.cause.name === 'TimeoutError';
  }
}

/** The cluster sees system:anonymous. It refuses nearly every other request too. */
export class NoCredentials extends ClusterError {}

/** A successful answer that kube-apiserver never gives. No other answer can be believed. */
export class NotKubeApiserver extends ClusterError {}

/** A permission is missing, or an admission plugin refuses a write (403). */
export class Forbidden extends ClusterError {}

/** The cluster does not serve the kind, so that no object of it exists. */
export class NotServed extends ClusterError {}

/** kube-apiserver no longer has the changes since this resourceVersion (410). A new list helps. */
export class Expired extends ClusterError {}

/** Whether the cluster answered and refused this request. */
export const wasRefused = (error: unknown): error is ClusterError =>
  error instanceof ClusterError && ![Unreachable, NoCredentials, Expired].some((each) => error instanceof each);
