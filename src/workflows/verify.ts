import type { Cluster } from '../cluster/cluster.ts';
import { DeadlineError } from '../errors.ts';
import { diagnose } from '../verify/diagnose.ts';
import { takeSnapshot } from '../verify/snapshot.ts';
import type { Diagnosis } from '../verify/types.ts';
import { poll } from './wait.ts';

/**
 * Looks again and again, ever more slowly, until every API is healthy or the time is up. There is nothing to watch for most of what a diagnosis
 * rests on: certificates on sockets, answers of servers.
 * @param until ends the waiting, not the look that is under way; aborted from the start for a single look
 * @param signal ends everything
 * @returns the last diagnosis, also when the deadline cuts a further look short
 * @throws DeadlineError when it passes before the first look is done; what `takeSnapshot` throws
 */
export async function verifyUntilHealthy(
  cluster: Cluster,
  names: readonly string[],
  until: AbortSignal,
  signal: AbortSignal,
): Promise<Diagnosis> {
  let last: Diagnosis | undefined;
  try {
    return await poll({ signal, firstMs: 250, longestMs: 5_000, until }, async () => {
      last = diagnose(await takeSnapshot(cluster, names, signal));
      return last.verdict === 'healthy' || until.aborted ? last : undefined;
    });
  } catch (error) {
    if (last && error instanceof DeadlineError) return last;
    throw error;
  }
}
