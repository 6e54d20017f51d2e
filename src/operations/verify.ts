import type { Cluster } from '../cluster/cluster.ts';
import { diagnose } from '../diagnosis/diagnose.ts';
import type { DiagnoseOptions, Diagnosis } from '../diagnosis/types.ts';
import { DeadlineError } from '../errors.ts';
import { takeSnapshot } from '../snapshot/collect/snapshot.ts';
import type { Snapshot, SnapshotOptions, Wanted } from '../snapshot/types.ts';
import { poll } from './wait.ts';

/** What to look at, how closely, and what counts as a finding. */
export interface VerifyRequest extends SnapshotOptions, DiagnoseOptions {
  readonly wanted: Wanted;
  /** Ends the waiting, not the look that is under way; aborted from the start for a single look. */
  readonly until: AbortSignal;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** What was seen, and what it means. */
export interface Verified {
  readonly snapshot: Snapshot;
  readonly diagnosis: Diagnosis;
}

/**
 * Looks again and again, ever more slowly, until every API is healthy or the time is up. There is nothing to watch for most of what a diagnosis
 * rests on: certificates on sockets, answers of servers.
 * @returns the last look, also when the deadline cuts a further one short
 * @throws DeadlineError when it passes before the first look is done; what `takeSnapshot` throws
 */
export async function verifyUntilHealthy(cluster: Cluster, { wanted, until, signal, ...options }: VerifyRequest): Promise<Verified> {
  let last: Verified | undefined;
  try {
    return await poll({ signal, firstMs: 250, longestMs: 5_000, until }, async () => {
      const snapshot = await takeSnapshot(cluster, wanted, options, signal);
      last = { snapshot, diagnosis: diagnose(snapshot, options) };
      // Of labels that no APIService has yet, there may be some later.
      const healthy = last.diagnosis.verdict === 'healthy' && snapshot.apis.length > 0;
      return healthy || until.aborted ? last : undefined;
    });
  } catch (error) {
    if (last && error instanceof DeadlineError) return last;
    throw error;
  }
}
