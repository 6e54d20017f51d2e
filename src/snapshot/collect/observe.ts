import { NoCredentials, NotKubeApiserver, Unreachable, wasRefused } from '../../cluster/faults.ts';
import { ClusterError } from '../../errors.ts';
import type { Unseen } from '../schema-parts.ts';
import type { Observed } from '../types.ts';
import type { RequestContext } from './context.ts';

/** Time limit, in ms, of a request that depends on the server behind an APIService. */
export const backendTimeoutMs = 5_000;

/**
 * How long kube-apiserver waits for discovery before the API is not available
 * (kube-aggregator pkg/controllers/status/remote/remote_available_controller.go, discoveryClient).
 */
export const availabilityTimeoutMs = 5_000;

/** Time limit, in ms, of a request whose duration is reported. */
export const patientTimeoutMs = 2 * availabilityTimeoutMs;

/**
 * Sends a request and records the outcome: what it found, that the object does not exist, or that
 * the request was refused.
 * @throws Unreachable when no answer comes; the reason of the signal
 */
export async function observeOrThrow<O, T>(
  signal: AbortSignal,
  request: () => Promise<O | undefined>,
  view: (object: O) => T,
): Promise<Observed<T>> {
  try {
    const object = await request();
    return object === undefined ? { state: 'absent' } : { state: 'seen', value: view(object) };
  } catch (error) {
    signal.throwIfAborted();
    if (!wasRefused(error) || error instanceof NotKubeApiserver) throw error;
    return { state: 'unseen', reason: 'forbidden', words: messageAndFix(error) };
  }
}

/** As `observeOrThrow`, but records a missing answer too. @throws the reason of the signal */
export async function observe<O, T>(
  { signal }: RequestContext,
  request: () => Promise<O | undefined>,
  view: (object: O) => T,
): Promise<Observed<T>> {
  try {
    return await observeOrThrow(signal, request, view);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Unreachable)) throw error;
    return { state: 'unseen', reason: 'unreachable', words: error.message };
  }
}

/**
 * Records the failure of a request.
 * @param timeoutMs its time limit
 * @throws errors that are not failures of the cluster; the reason of the signal
 */
export function unseenAfter({ signal }: RequestContext, error: unknown, timeoutMs = backendTimeoutMs): Readonly<Unseen> {
  signal.throwIfAborted();
  if (!(error instanceof ClusterError) || error instanceof NoCredentials || error instanceof NotKubeApiserver) throw error;
  if (error instanceof Unreachable && error.timedOut) {
    return {
      state: 'unseen',
      reason: 'unreachable',
      words: `no ${error.received ? 'complete ' : ''}response within ${timeoutMs / 1000} s`,
    };
  }
  if (error instanceof Unreachable) return { state: 'unseen', reason: 'unreachable', words: error.message };
  return { state: 'unseen', reason: 'forbidden', words: messageAndFix(error) };
}

const messageAndFix = ({ message, fix }: ClusterError): string => (fix ? `${message}. ${fix}` : message);
