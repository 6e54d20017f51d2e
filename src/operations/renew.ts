import { readClock } from '../cluster/clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { acquireRotationLease, type RotationLock } from '../cluster/lease.ts';
import { apiServiceNames } from '../config/registration.ts';
import { projectOf } from '../manifests/labels.ts';
import { namingAllMissing, requireAccess } from './permissions.ts';
import { nothingDue, prepareRenewal, renewalNeeds } from './renew/prepare.ts';
import type { RenewRequest, TimedRenewal } from './renew/request.ts';
import { noteLeaseWait } from './rotation/lease-wait.ts';
import { patientStep } from './rotation/patient.ts';
import { requireRegistered, requireWritable } from './rotation/preconditions.ts';
import type { RotateResult, StepReport } from './rotation/request.ts';
import { serviceOf } from './rotation/rotation.ts';
import { stepRunner } from './rotation/run.ts';
import { requireReplicas } from './service-pods.ts';
import { recheckMs, verifying, verifyStep } from './steps/verify.ts';

/**
 * Has cert-manager renew the serving certificate of a project, and waits until every endpoint
 * serves it. The cluster decides what is done, so that a run after a failure continues.
 * @throws RefusedError with the reason of cert-manager, or while another rotation runs;
 * ClusterError when permissions are missing; DeadlineError with what it waited for
 */
export async function renew(cluster: Cluster, request: RenewRequest): Promise<RotateResult> {
  const { signal, holder, onProgress, registration } = request;
  onProgress({ kind: 'step', what: `Checking permissions in ${cluster.server} (context "${cluster.context}")` });
  await requireAccess(cluster, renewalNeeds(cluster, request), [], signal);
  await requireRegistered({ ...request, cluster });
  const { now } = await readClock(cluster, signal);
  const unneeded = await nothingDue(cluster, { ...request, now, renewLease: async () => {} });
  if (unneeded) return unneeded;
  const lock = await acquireRotationLease(cluster, {
    service: serviceOf(request),
    project: projectOf(registration),
    holder,
    signal,
    onWait: noteLeaseWait(request),
  });
  try {
    return await renewLocked(cluster, { ...request, now, signal: lock.signal, renewLease: lock.renew }, lock);
  } finally {
    // The Secret and the endpoints tell the next run enough.
    await lock.stop(true);
  }
}

async function renewLocked(cluster: Cluster, request: TimedRenewal, lock: RotationLock): Promise<RotateResult> {
  const { registration, signal, onProgress, onReport, clusterFlags, project } = request;
  const prepared = await prepareRenewal(cluster, request);
  if ('outcome' in prepared) return prepared;
  const { kind, from, to } = prepared;
  await requireReplicas({ ...request, cluster });
  await requireWritable(prepared.steps);
  const names = apiServiceNames(registration);
  const verify = verifyStep({ cluster, signal, onProgress }, { names, clusterFlags, project, settleMs: recheckMs });
  const steps = prepared.steps.map((step) => patientStep(step, request));
  const runner = stepRunner({ kind, all: [...steps, verify], signal, onProgress, onReport });
  const started = new Date().toISOString();
  await runner.run(steps, ({ id, title = id }) =>
    lock.record({
      ...{ kind, direction: 'forward', step: id, title, number: steps.findIndex((each) => each.id === id) + 1 },
      ...{ steps: steps.length + 1, started },
      ...(from ? { oldCertificate: from.leaf } : {}),
    }),
  );
  await lock.release();
  await runner.run([verify]);
  const diagnosis = verify.diagnosis();
  if (diagnosis.failure !== undefined) runner.mark(verify, 'failed');
  return { outcome: 'rotated', direction: 'forward', from, to: to(), ...runner.report(), diagnosis };
}

/** Tells what `rotate` would do, and what is done already. Changes nothing. @throws as `renew` */
export const planRenewal = (cluster: Cluster, request: RenewRequest): Promise<RotateResult> =>
  namingAllMissing(cluster, renewalNeeds(cluster, request), request.signal, () => plan(cluster, request));

async function plan(cluster: Cluster, request: RenewRequest): Promise<RotateResult> {
  await requireRegistered({ ...request, cluster });
  const { now } = await readClock(cluster, request.signal);
  const prepared = await prepareRenewal(cluster, { ...request, now, renewLease: async () => {} });
  if ('outcome' in prepared) return prepared;
  await requireReplicas({ ...request, cluster });
  await requireWritable(prepared.steps);
  const planned: StepReport[] = [];
  for (const { id, title = id, observe } of prepared.steps) {
    // What follows a step that is not done depends on it.
    const isReached = planned.every(({ state }) => state === 'done');
    planned.push({ id, title, state: isReached && (await observe()).state === 'done' ? 'done' : 'pending' });
  }
  const verify: StepReport = { id: 'verify', title: verifying, state: 'pending' };
  return {
    outcome: 'planned',
    kind: prepared.kind,
    direction: 'forward',
    steps: [...planned, verify],
    from: prepared.from,
    to: undefined,
  };
}
