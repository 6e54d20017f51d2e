import { describeRef } from '../../cluster/resources.ts';
import { type Holder, type RotatedService, rotationLease } from '../../cluster/rotation-lease.ts';
import type { RemovedObject } from '../progress.ts';
import type { Target } from '../steps/target.ts';
import type { Waiting } from '../wait.ts';
import { type BeforeWrite, excludeRotations, type WriteLock } from '../write-lock.ts';

interface Locking {
  readonly project: string;
  readonly holder: Holder;
  /** The Services whose certificates the project has. */
  readonly services: readonly RotatedService[];
  readonly targets: readonly Target[];
}

/** What a run that removes objects gets. */
export interface RemoveLock {
  /** Aborted also when another process takes a Lease over. */
  readonly signal: AbortSignal;
  readonly beforeWrite: BeforeWrite;
  /** Whether this process holds the Lease, which is then deleted at the end. */
  readonly holds: (lease: Target) => boolean;
}

/**
 * Removes objects while this process holds the Leases of their Services, so that no rotation starts
 * meanwhile. An interrupted rotation ends with them.
 * @returns what the work returns, and the Leases of interrupted rotations that were deleted
 * @throws as `excludeRotations`; what the work throws
 */
export async function whileLocked<T>(
  waiting: Waiting,
  { services, targets, ...owner }: Locking,
  work: (lock: RemoveLock) => Promise<T>,
): Promise<{ readonly result: T; readonly removed: readonly RemovedObject[] }> {
  const held = new Set<string>();
  const holds = ({ ref }: Pick<Target, 'ref'>): boolean => held.has(describeRef(ref));
  const request = {
    ...owner,
    directory: '.',
    apiServices: targets.flatMap(({ ref }) => (ref.resource.kind === 'APIService' ? [ref.name] : [])),
    isContended: true,
    endsRotation: true,
    onProgress: waiting.onProgress,
  };
  const lockNext = ([service, ...rest]: readonly RotatedService[], outer: Pick<WriteLock, 'signal' | 'beforeWrite'>): Promise<T> => {
    if (!service) return work({ ...outer, holds });
    const lease = describeRef(rotationLease(service));
    const silent = targets.find(({ ref }) => describeRef(ref) === lease)?.found;
    return excludeRotations(waiting.cluster, { ...request, service, silent, signal: outer.signal }, ({ signal, beforeWrite, isHeld }) => {
      if (isHeld) held.add(lease);
      const both = async (): Promise<void> => {
        await outer.beforeWrite();
        await beforeWrite();
      };
      return lockNext(rest, { signal, beforeWrite: both });
    });
  };
  const changes = targets.filter(({ action }) => action !== 'leave');
  const result = await lockNext(changes.length === 0 ? [] : services, { signal: waiting.signal, beforeWrite: async () => {} });
  const ended = changes.filter(holds);
  const removed = ended.map(({ ref }): RemovedObject => ({ object: describeRef(ref), change: 'deleted' }));
  for (const each of removed) waiting.onProgress({ kind: 'removed', removed: each });
  return { result, removed };
}
