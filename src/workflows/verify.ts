import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { diagnose } from '../verify/diagnose.ts';
import { takeSnapshot } from '../verify/snapshot.ts';
import type { Diagnosis } from '../verify/types.ts';

const firstPauseMs = 250;
const longestPauseMs = 5_000;

/**
 * Looks again and again, ever more slowly, until every API is healthy or the time is up. There is nothing to watch for most of what a diagnosis
 * rests on: certificates on sockets, answers of servers.
 * @param until ends the waiting, not the last look
 * @param signal ends everything
 * @returns the last diagnosis
 */
export async function verifyUntilHealthy(
  cluster: Cluster,
  names: readonly string[],
  until: AbortSignal,
  signal: AbortSignal,
): Promise<Diagnosis> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const diagnosis = diagnose(await takeSnapshot(cluster, names, signal));
    if (diagnosis.verdict === 'healthy' || until.aborted) return diagnosis;
    await sleep(pauseMs, undefined, { signal: AbortSignal.any([until, signal]) }).catch(() => signal.throwIfAborted());
  }
}
