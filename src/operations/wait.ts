import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { Unreachable } from '../cluster/faults.ts';
import { observe, slicesOf } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { DeadlineError } from '../errors.ts';
import { viewApiService, viewEndpoints } from '../snapshot/views.ts';
import type { OnProgress } from './events.ts';

/** How to wait: one deadline for everything, and somebody to tell. */
export interface Waiting {
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/**
 * Runs a wait; when the deadline passes, the error says what was waited for and the last that was seen of it.
 * @param whoKnows what says more, for the fix: a command
 */
export async function waitFor(
  what: string,
  whoKnows: string,
  { onProgress }: Waiting,
  watch: (saw: (last: string) => void) => Promise<void>,
): Promise<void> {
  let last = 'nothing yet';
  try {
    await watch((now) => {
      if (now === last) return;
      last = now;
      onProgress({ kind: 'waiting', what, last });
    });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new DeadlineError(`${error.message}, waiting for ${what}; last seen: ${last}`, {
      fix: `Run the same command again to go on, with a longer --timeout if it only needs time. What says more: ${whoKnows}`,
      cause: error,
    });
  }
}

/** The commands that tell of the pods of a namespace. */
export const podCommands = (namespace: string | undefined): string =>
  `kubectl -n ${namespace} get pods; kubectl -n ${namespace} describe pods`;

/** How to ask again and again. Pauses between questions are in milliseconds, each twice the last one, up to the longest. */
interface Polling {
  readonly signal: AbortSignal;
  readonly firstMs: number;
  readonly longestMs: number;
  /** Cuts a pause short; the question after it is the last that may go without an answer. */
  readonly until?: AbortSignal;
  /** Whether the cluster has answered already. */
  readonly answered?: boolean;
}

/**
 * Asks again and again, ever more slowly, until there is an answer. A cluster that answered once may be restarting, or busy, when it does not answer the next time; one
 * that never did is the caller's to report.
 * @param ask gives undefined while there is nothing to say yet
 * @throws what `ask` throws; the signal's reason
 */
export async function poll<T>(polling: Polling, ask: () => Promise<T | undefined>): Promise<T> {
  const { signal, firstMs, longestMs, until } = polling;
  let { answered = false } = polling;
  for (let pauseMs = firstMs; ; pauseMs = Math.min(pauseMs * 2, longestMs)) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
      answered = true;
    } catch (error) {
      if (!(error instanceof Unreachable) || !answered || until?.aborted) throw error;
    }
    const woken = until ? AbortSignal.any([until, signal]) : signal;
    await sleep(pauseMs, undefined, { signal: woken }).catch(() => signal.throwIfAborted());
  }
}

/** Waits until kube-apiserver calls an APIService Available. */
export const waitForAvailable = (waiting: Waiting, name: string): Promise<void> =>
  waitFor(`APIService ${name} to become Available`, `apisvc verify ${name}`, waiting, async (saw) => {
    const one = { resource: resources.APIService, fieldSelector: `metadata.name=${name}` };
    for await (const [found] of observe(waiting.cluster, one, waiting.signal)) {
      const available = found && viewApiService(found).available;
      if (available?.status === 'True') return;
      saw(available ? `Available=${available.status} (${available.reason}): ${available.message}` : 'no Available condition yet');
    }
  });

/** Waits until a Service has an endpoint that is ready. */
export const waitForEndpoints = (waiting: Waiting, namespace: string, service: string): Promise<void> =>
  waitFor(`Service ${namespace}/${service} to have a ready endpoint`, podCommands(namespace), waiting, async (saw) => {
    for await (const found of observe(waiting.cluster, slicesOf({ namespace, name: service }), waiting.signal)) {
      const endpoints = found.flatMap(viewEndpoints);
      if (endpoints.some(({ ready }) => ready)) return;
      saw(`${endpoints.length} endpoints, none ready`);
    }
  });
