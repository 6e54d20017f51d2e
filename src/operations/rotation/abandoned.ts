import type { Cluster } from '../../cluster/cluster.ts';
import { acquireRotationLease } from '../../cluster/lease.ts';
import { getObject } from '../../cluster/objects.ts';
import { describeRef } from '../../cluster/resources.ts';
import { rotationLease } from '../../cluster/rotation-lease.ts';
import { discardNext, hasNext } from '../../project/generations.ts';
import { pathsOfSets } from '../../project/sets.ts';
import { readApiServices } from './live.ts';
import type { RotateRequest, RotateResult } from './request.ts';
import { type Rotation, serviceOf } from './rotation.ts';

/** Whether any APIService leads to the Service. Without one, no request can fail. */
export const isRegistered = async (where: Pick<Rotation, 'cluster' | 'registration' | 'signal'>): Promise<boolean> =>
  (await readApiServices(where)).length > 0;

/**
 * Removes certs/next and the Lease of a rotation that is aborted after its API was unregistered.
 * The Lease is not created where there is none, because its namespace may be gone.
 * @returns undefined where an API is registered, or nothing is aborted
 * @throws RefusedError while another process holds the Lease
 */
export async function discardAbandoned(cluster: Cluster, request: RotateRequest): Promise<RotateResult | undefined> {
  const { abort, dryRun, dir, kind, holder, signal } = request;
  if (!abort || (await isRegistered({ ...request, cluster }))) return undefined;
  const service = serviceOf(request);
  const ref = rotationLease(service);
  const hasLease = (await getObject(cluster, ref, signal)) !== undefined;
  const left = [...(hasNext(dir) ? [pathsOfSets(dir).next] : []), ...(hasLease ? [describeRef(ref)] : [])];
  const nothing = { kind, direction: 'back', steps: [], from: undefined, to: undefined } as const;
  if (left.length === 0) return { outcome: 'nothing-to-abort', ...nothing };
  if (dryRun) {
    return { outcome: 'planned', ...nothing, steps: left.map((each) => ({ id: 'discard', title: `Removing ${each}`, state: 'pending' })) };
  }
  const lock = hasLease ? await acquireRotationLease(cluster, { service, holder, signal }) : undefined;
  try {
    discardNext(dir);
    await lock?.release();
  } finally {
    await lock?.stop();
  }
  return { outcome: 'discarded', ...nothing, discarded: left };
}
