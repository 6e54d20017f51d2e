import type { Cluster } from '../../cluster/cluster.ts';
import { Unreachable } from '../../cluster/faults.ts';
import { ClusterError } from '../../errors.ts';
import { look } from '../look.ts';
import type { Observed } from '../types.ts';
import type { Turn } from './limit.ts';

/** What everybody needs who asks kube-apiserver. */
export interface Asking {
  readonly cluster: Cluster;
  /** Ends everything; its reason is thrown. */
  readonly signal: AbortSignal;
}

/** What everybody who looks at a cluster needs; `cluster` asks in turn with everybody else. */
export interface Looking extends Asking {
  /** For connections to servers themselves. */
  readonly dials: Turn;
}

/** Milliseconds that anything has to answer which depends on the server behind an APIService. */
export const patienceMs = 5_000;

/** What was left out, and why. */
export const skipped = (words: string): Observed<never> => ({ state: 'unseen', reason: 'skipped', words });

/** As `look`, for one question among many: no answer to it is something to tell as well. @throws the signal's reason */
export async function see<O, T>({ signal }: Asking, ask: () => Promise<O | undefined>, view: (object: O) => T): Promise<Observed<T>> {
  try {
    return await look(signal, ask, view);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Unreachable)) throw error;
    return { state: 'unseen', reason: 'unreachable', words: error.message };
  }
}

/** What a failed request with a limit of `patienceMs` means. @throws errors that are no failure of the cluster; the signal's reason */
export function unanswered({ signal }: Asking, error: unknown): Observed<never> {
  signal.throwIfAborted();
  if (!(error instanceof ClusterError)) throw error;
  const late = error.cause instanceof DOMException && error.cause.name === 'TimeoutError';
  if (late) return { state: 'unseen', reason: 'unreachable', words: `no answer in ${patienceMs / 1000} s` };
  const words = error.fix && !(error instanceof Unreachable) ? `${error.message}. ${error.fix}` : error.message;
  return { state: 'unseen', reason: error instanceof Unreachable ? 'unreachable' : 'forbidden', words };
}
