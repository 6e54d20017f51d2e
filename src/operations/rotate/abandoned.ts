import type { Cluster } from '../../cluster/cluster.ts';
import { acquireRotationLease } from '../../cluster/lease.ts';
import { getObject } from '../../cluster/objects.ts';
import { describeRef, type ObjectRef } from '../../cluster/resources.ts';
import { rotationLease } from '../../cluster/rotation-lease.ts';
import { RefusedError } from '../../errors.ts';
import { caEntries } from '../../manifests/ca-secret.ts';
import { projectOf } from '../../manifests/labels.ts';
import { secretEntry } from '../../manifests/secret.ts';
import { discardNext, hasNext } from '../../project/generations.ts';
import { pathsOfSets } from '../../project/sets.ts';
import { caSecretRef, foreignFault, nameOfCaSecret } from '../ca-secret.ts';
import { noteLeaseWait } from '../rotation/lease-wait.ts';
import { readApiServices } from '../rotation/live.ts';
import { notRegistered, requireSameService } from '../rotation/preconditions.ts';
import type { RotateRequest, RotateResult } from '../rotation/request.ts';
import { serviceOf } from '../rotation/rotation.ts';
import { dropCaKeyStep } from '../steps/ca-key.ts';

/**
 * Ends a rotation whose API was unregistered: without an APIService, no request can fail. --abort
 * removes certs/next, the Lease, and the next CA from the Secret with the CA, which unregister
 * --keep-secrets leaves. No Lease is created, because its namespace may be gone.
 * @returns undefined where an API is registered
 * @throws RefusedError without --abort, and while another process holds the Lease; as
 * `requireSameService`
 */
export async function discardAbandoned(cluster: Cluster, request: RotateRequest): Promise<RotateResult | undefined> {
  const { abort, dryRun, dir, kind, registration, holder, signal } = request;
  if ((await readApiServices({ ...request, cluster })).length > 0) return undefined;
  // Where only apisvc.yaml names another Service, the pods may need the new certificates.
  await requireSameService({ ...request, cluster });
  if (!abort) throw unregistered(request);
  const service = serviceOf(request);
  const ref = rotationLease(service);
  const hasLease = (await getObject(cluster, ref, signal)) !== undefined;
  const ca = await nextCa(cluster, request);
  const left = [
    ...(hasNext(dir) ? [pathsOfSets(dir).next] : []),
    ...(hasLease ? [describeRef(ref)] : []),
    ...(ca ? [`the new CA in ${nameOfCaSecret(ca)}`] : []),
  ];
  const nothing = { kind, direction: 'back', steps: [], from: undefined, to: undefined } as const;
  if (left.length === 0) return { outcome: 'nothing-to-abort', ...nothing };
  if (dryRun) {
    return { outcome: 'planned', ...nothing, steps: left.map((each) => ({ id: 'discard', title: `Removing ${each}`, state: 'pending' })) };
  }
  const lock = hasLease
    ? await acquireRotationLease(cluster, { service, project: projectOf(registration), holder, signal, onWait: noteLeaseWait(request) })
    : undefined;
  try {
    if (ca) {
      const renewLease = lock?.renew ?? (async () => {});
      await dropCaKeyStep({ ...request, cluster, direction: 'back', caFiles: [], renewLease }, { ref: ca }).run();
    }
    discardNext(dir);
    await lock?.release();
  } finally {
    await lock?.stop();
  }
  return { outcome: 'discarded', ...nothing, discarded: left };
}

/** The Secret with the CA, while it has the next CA; undefined where it does not. */
async function nextCa(cluster: Cluster, { registration, signal }: RotateRequest): Promise<ObjectRef | undefined> {
  const ref = caSecretRef(registration);
  const found = ref && (await getObject(cluster, ref, signal));
  const isOwn = ref && found && !foreignFault(found, ref, registration);
  return isOwn && secretEntry(found, caEntries.next.key) !== '' ? ref : undefined;
}

function unregistered(request: RotateRequest): RefusedError {
  if (!hasNext(request.dir)) return notRegistered(request);
  const { namespace, name } = serviceOf(request);
  return new RefusedError(`no APIService points at Service ${namespace}/${name}, so the rotation cannot continue\nnothing was changed`, {
    fix: 'Discard certs/next: apisvc rotate --abort\nThen register the project again: apisvc register',
  });
}
