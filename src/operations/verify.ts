import type { Cluster } from '../cluster/cluster.ts';
import { diagnose } from '../diagnosis/diagnose.ts';
import type { DiagnoseOptions, Diagnosis } from '../diagnosis/types.ts';
import { DeadlineError } from '../errors.ts';
import { takeSnapshot } from '../snapshot/collect/snapshot.ts';
import type { Snapshot, SnapshotOptions, Wanted } from '../snapshot/types.ts';
import { poll } from './wait.ts';

/** Which APIs to verify, how closely, and what counts as a finding. */
export interface VerifyRequest extends SnapshotOptions, DiagnoseOptions {
  readonly wanted: Wanted;
  /** Ends the waiting, not the snapshot in progress. Aborted from the start for a single check. */
  readonly until: AbortSignal;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** A snapshot and its diagnosis. */
export interface Verified {
  readonly snapshot: Snapshot;
  readonly diagnosis: Diagnosis;
}

/**
 * Repeats snapshot and diagnosis until every API is healthy or the time is over. It polls, because
 * certificates on sockets and answers of servers cannot be watched.
 * @returns the last result, also when the deadline interrupts another one
 * @throws DeadlineError when it passes before the first result; what `takeSnapshot` throws
 */
export async function verifyUntilHealthy(cluster: Cluster, { wanted, until, signal, ...options }: VerifyRequest): Promise<Verified> {
  let last: Verified | undefined;
  try {
    return await poll({ signal, firstMs: 250, longestMs: 5_000, until, answered: false }, async () => {
      const snapshot = await takeSnapshot(cluster, wanted, options, signal);
      last = { snapshot, diagnosis: diagnose(snapshot, options) };
      // A label selector that matches nothing yet may match later.
      const healthy = isSettled(last, options) && snapshot.apis.length > 0;
      return healthy || until.aborted ? last : undefined;
    });
  } catch (error) {
    if (last && error instanceof DeadlineError) return last;
    throw error;
  }
}

/**
 * Whether waiting cannot improve the result. A certificate that expires soon does not renew itself.
 */
const isSettled = ({ snapshot, diagnosis }: Verified, options: DiagnoseOptions): boolean =>
  diagnosis.verdict === 'healthy' ||
  (options.failIfExpiresSoon === true && diagnose(snapshot, { ...options, failIfExpiresSoon: false }).verdict === 'healthy');
