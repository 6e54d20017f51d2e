import { type Clock, readClock } from '../cluster/clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { acquireRotationLease, type RotationLock } from '../cluster/lease.ts';
import { awaitSilence } from '../cluster/lease-silence.ts';
import { getObject } from '../cluster/objects.ts';
import { rotationLease, viewRotationLease } from '../cluster/rotation-lease.ts';
import { apiServiceNames } from '../config/registration.ts';
import { RefusedError } from '../errors.ts';
import { projectOf } from '../manifests/labels.ts';
import type { KubeObject } from '../manifests/types.ts';
import { hasNext, recover } from '../project/generations.ts';
import { caSecretRef } from './ca-secret.ts';
import { namingAllMissing, requireAccess } from './permissions.ts';
import { discardAbandoned } from './rotate/abandoned.ts';
import { rotationNeeds } from './rotate/needs.ts';
import { nothingDue, prepare, type TimedRequest } from './rotate/prepare.ts';
import { requireSameTime } from './rotation/clock.ts';
import { type Expiry, expiryInCluster } from './rotation/expiry.ts';
import { noteLeaseWait } from './rotation/lease-wait.ts';
import type { RotateRequest, RotateResult, StepReport } from './rotation/request.ts';
import { serviceOf } from './rotation/rotation.ts';
import { runRecorded, stepRunner } from './rotation/run.ts';
import { withoutChanges } from './runner.ts';
import { recheckMs, verifying, verifyStep } from './steps/verify.ts';

/**
 * Replaces the serving certificate of a project, or goes back to the old one, without a request
 * that fails. The cluster decides what is done, so that a run after a crash continues.
 * @throws RefusedError while another rotation runs, where the project or the clock differs from the
 * cluster, or when something else writes what the rotation writes; ClusterError when permissions
 * are missing; DeadlineError with what it waited for
 */
export async function rotate(cluster: Cluster, request: RotateRequest): Promise<RotateResult> {
  const { signal, holder, onProgress, dir } = request;
  onProgress({ kind: 'step', what: `Checking permissions in ${cluster.server} (context "${cluster.context}")` });
  const service = serviceOf(request);
  const needs = rotationNeeds(cluster, request);
  const abandoned = await namingAllMissing(cluster, needs, signal, () => discardAbandoned(cluster, request));
  if (abandoned) return abandoned;
  await requireAccess(cluster, needs, createdBy(request), signal);
  const { clock, expiry } = await checkClock(cluster, request);
  const unneeded = expiry && (await nothingDue(cluster, { ...request, ...clock, renewLease: async () => {} }, expiry));
  if (unneeded) return unneeded;
  const lock = await acquireRotationLease(cluster, {
    service,
    project: projectOf(request.registration),
    holder,
    signal,
    onWait: noteLeaseWait(request),
  });
  try {
    recover(dir);
    return await rotateLocked(cluster, { ...request, ...clock, signal: lock.signal, renewLease: lock.renew }, lock);
  } finally {
    await lock.stop();
  }
}

/** The Secret with the CA, which a rotation creates where it was lost. */
function createdBy({ registration, kind, abort }: RotateRequest): readonly KubeObject[] {
  const ref = kind === 'ca' && !abort ? caSecretRef(registration) : undefined;
  return ref ? [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: ref.name, namespace: registration.metadata.namespace } }] : [];
}

interface Checked {
  readonly clock: Clock;
  /** With `--if-expires-within`, unless a rotation is pending. */
  readonly expiry?: Expiry | undefined;
}

/** Only new certificates need the local clock. @throws as `requireSameTime` */
async function checkClock(cluster: Cluster, request: RotateRequest): Promise<Checked> {
  const clock = await readClock(cluster, request.signal);
  const { dir, abort, ifExpiresWithin } = request;
  if (abort || hasNext(dir)) return { clock };
  const expiry = ifExpiresWithin === undefined ? undefined : await expiryInCluster({ ...request, ...clock, cluster }, ifExpiresWithin);
  if (!expiry || expiry.isDue) requireSameTime(cluster, clock);
  return { clock, expiry };
}

async function rotateLocked(cluster: Cluster, request: TimedRequest, lock: RotationLock): Promise<RotateResult> {
  const { registration, signal, onProgress, onReport, clusterFlags, project } = request;
  const names = apiServiceNames(registration);
  const verify = verifyStep({ cluster, signal, onProgress }, { names, clusterFlags, project, settleMs: recheckMs });
  const prepared = await prepare(cluster, request, lock);
  const isDone = 'outcome' in prepared;
  if (isDone && prepared.outcome !== 'rotated') {
    await lock.release();
    return prepared;
  }
  const { kind, direction, from, to } = isDone ? prepared : prepared.rotation;
  const runner = stepRunner({ kind, all: [...(isDone ? [] : prepared.steps), verify], signal, onProgress, onReport });
  if (!isDone) await runRecorded(runner, prepared, lock);
  await lock.release();
  await runner.run([verify]);
  const diagnosis = verify.diagnosis();
  if (diagnosis.failure !== undefined) runner.mark(verify, 'failed');
  return { outcome: direction === 'forward' ? 'rotated' : 'aborted', direction, from, to, ...runner.report(), diagnosis };
}

/** Tells what `rotate` would do, and what is done already. Changes nothing. @throws as `rotate` */
export const planRotation = (cluster: Cluster, request: RotateRequest): Promise<RotateResult> =>
  namingAllMissing(cluster, rotationNeeds(cluster, request), request.signal, () => plan(cluster, request));

async function plan(cluster: Cluster, request: RotateRequest): Promise<RotateResult> {
  const abandoned = await discardAbandoned(cluster, request);
  if (abandoned) return abandoned;
  const { clock } = await checkClock(cluster, request);
  const lease = await silentLease(cluster, request);
  const journal = lease && viewRotationLease(lease).journal;
  const prepared = await prepare(cluster, { ...request, ...clock, renewLease: async () => {} }, { journal });
  const verify: StepReport = { id: 'verify', title: verifying, state: 'pending' };
  if ('outcome' in prepared) return prepared.outcome === 'rotated' ? { ...prepared, outcome: 'planned', steps: [verify] } : prepared;
  const { rotation, steps } = prepared;
  const planned: StepReport[] = [];
  for (const step of steps) {
    const observation = await step.observe();
    if (observation.state === 'fault') throw observation.error;
    planned.push({ id: step.id, title: step.title ?? step.id, state: observation.state });
  }
  const { kind, direction, from, to } = rotation;
  // A certificate that neither certs/next nor the Secret has was made only to plan with.
  const isIssued = direction === 'back' || planned.some(({ id, state }) => ['issue', 'secret'].includes(id) && state === 'done');
  return { outcome: 'planned', kind, direction, steps: [...planned, verify], from, to: isIssued ? to : undefined };
}

/**
 * The Lease of a rotation that nobody runs.
 * @throws RefusedError while another process renews it, as the rotation would be refused
 */
async function silentLease(cluster: Cluster, request: RotateRequest): Promise<KubeObject | undefined> {
  const service = serviceOf(request);
  const found = await getObject(cluster, rotationLease(service), request.signal);
  if (!found) return undefined;
  return awaitSilence(cluster, { service, signal: request.signal, onWait: noteLeaseWait(request) }, found).catch((error) => {
    throw error instanceof RefusedError ? withoutChanges(error, 'rotate would be refused; nothing was changed') : error;
  });
}
