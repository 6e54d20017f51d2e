import type { Cluster } from '../../cluster/cluster.ts';
import { acquireRotationLease } from '../../cluster/lease.ts';
import { getObject } from '../../cluster/objects.ts';
import { describeRef } from '../../cluster/resources.ts';
import { rotationLease } from '../../cluster/rotation-lease.ts';
import { RefusedError } from '../../errors.ts';
import { projectOf } from '../../manifests/labels.ts';
import { discardNext, hasNext } from '../../project/generations.ts';
import { pathsOfSets } from '../../project/sets.ts';
import { noteLeaseWait } from './lease-wait.ts';
import { readApiServices } from './live.ts';
import { requireSameService } from './preconditions.ts';
import type { RotateRequest, RotateResult } from './request.ts';
import { serviceOf } from './rotation.ts';

/**
 * Ends a rotation whose API was unregistered: without an APIService, no request can fail. --abort
 * removes certs/next and the Lease. No Lease is created, because its namespace may be gone.
 * @returns undefined where an API is registered
 * @throws RefusedError without --abort, and while another process holds the Lease
 */
export async function discardAbandoned(cluster: Cluster, request: RotateRequest): Promise<RotateResult | undefined> {
  const { abort, dryRun, dir, kind, registration, holder, signal } = request;
  if ((await readApiServices({ ...request, cluster })).length > 0) return undefined;
  if (!abort) {
    await requireSameService({ ...request, cluster });
    throw unregistered(request);
  }
  const service = serviceOf(request);
  const ref = rotationLease(service);
  const hasLease = (await getObject(cluster, ref, signal)) !== undefined;
  const left = [...(hasNext(dir) ? [pathsOfSets(dir).next] : []), ...(hasLease ? [describeRef(ref)] : [])];
  const nothing = { kind, direction: 'back', steps: [], from: undefined, to: undefined } as const;
  if (left.length === 0) return { outcome: 'nothing-to-abort', ...nothing };
  if (dryRun) {
    return { outcome: 'planned', ...nothing, steps: left.map((each) => ({ id: 'discard', title: `Removing ${each}`, state: 'pending' })) };
  }
  const lock = hasLease
    ? await acquireRotationLease(cluster, { service, project: projectOf(registration), holder, signal, onWait: noteLeaseWait(request) })
    : undefined;
  try {
    discardNext(dir);
    await lock?.release();
  } finally {
    await lock?.stop();
  }
  return { outcome: 'discarded', ...nothing, discarded: left };
}

function unregistered(request: RotateRequest): RefusedError {
  const { namespace, name } = serviceOf(request);
  const what = `no APIService leads to Service ${namespace}/${name}`;
  if (!hasNext(request.dir)) return new RefusedError(`${what}\nnothing was changed`, { fix: 'Register the API first: apisvc register' });
  return new RefusedError(`${what}, so the rotation cannot continue\nnothing was changed`, {
    fix: 'Discard certs/next: apisvc rotate --abort\nThen register the project again: apisvc register',
  });
}
