import { backoff } from '../cluster/backoff.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { Unreachable } from '../cluster/faults.ts';
import type { ObjectRef } from '../cluster/resources.ts';
import type { Need } from '../cluster/status.ts';
import { DeadlineError } from '../errors.ts';
import type { OnProgress } from './progress.ts';

/** What every wait shares: the cluster, one deadline, and who is notified. */
export interface Waiting {
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/**
 * Runs a wait and reports each new state once.
 * @param what completes "waiting for ..."
 * @param details a command that shows more, for the fix
 * @returns what `watch` returns
 * @throws DeadlineError with what it waited for and the last state; what `watch` throws
 */
export async function waitFor<T>(
  what: string,
  details: string,
  { onProgress }: Waiting,
  watch: (report: (state: string) => void) => Promise<T>,
): Promise<T> {
  let last = 'unknown';
  try {
    return await watch((state) => {
      if (state === last) return;
      last = state;
      onProgress({ kind: 'waiting', what, last });
    });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new DeadlineError(`${error.message}, waiting for ${what}; last state: ${last}`, {
      fix: `Run the same command again to continue, with a longer --timeout if the server only needs more time. To find the cause: ${details}`,
      cause: error,
    });
  }
}

/**
 * Starts several watches, waits for the first one to end, and stops the others.
 * @param start gets a signal that is also aborted when the first one has ended
 * @returns, @throws as the first one
 */
export async function untilFirst<T>(waiting: Waiting, start: (watching: Waiting) => readonly Promise<T>[]): Promise<T> {
  const over = new AbortController();
  try {
    return await Promise.race(start({ ...waiting, signal: AbortSignal.any([waiting.signal, over.signal]) }));
  } finally {
    over.abort();
  }
}

/** Commands that show the pods of a namespace. */
export const podCommands = (namespace: string | undefined): string =>
  `kubectl -n ${namespace} get pods; kubectl -n ${namespace} describe pods`;

/** The permissions to watch an object, or with the name `*` a collection. */
export const readNeeds = (ref: ObjectRef): readonly Need[] => ['list', 'watch'].map((verb) => ({ verb, ref }));

/**
 * How to poll. Each pause is twice the one before, up to the longest; in milliseconds. Default 100
 * and 2,000.
 */
interface Polling {
  readonly signal: AbortSignal;
  readonly firstMs?: number;
  readonly longestMs?: number;
  /** Ends the pauses: the next attempt is the last one that may find the cluster unreachable. */
  readonly until?: AbortSignal;
  /** Whether the cluster has answered before. Default true. */
  readonly answered?: boolean;
  /** Called with the reason while the cluster is not reachable. */
  readonly report?: (state: string) => void;
}

/**
 * Repeats an attempt until it returns a value. A cluster that answered before may be restarting, so
 * it may be unreachable for a while. A cluster that never answered is an error.
 * @param attempt returns undefined to continue
 * @throws what `attempt` throws; the reason of the signal
 */
export async function poll<T>(
  { signal, firstMs = 100, longestMs = 2_000, until, answered = true, report }: Polling,
  attempt: () => Promise<T | undefined>,
): Promise<T> {
  const wait = backoff({ firstMs, longestMs });
  let reached = answered;
  for (;;) {
    try {
      const value = await attempt();
      if (value !== undefined) return value;
      reached = true;
    } catch (error) {
      if (!(error instanceof Unreachable) || !reached || until?.aborted) throw error;
      report?.(error.message);
    }
    await wait.pause(signal, until);
  }
}

/**
 * Repeats a change of one object until no other writer is faster. Controllers change objects at any
 * time, so each attempt reads and judges the object again.
 * @param attempt returns undefined where kube-apiserver rejected a stale version (status 409)
 * @throws as `poll`
 */
export const untilFresh = <T>(signal: AbortSignal, attempt: () => Promise<T | undefined>): Promise<T> => poll({ signal }, attempt);
