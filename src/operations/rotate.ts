import { setMaxListeners } from 'node:events';
import { type Clock, readClock } from '../cluster/clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { acquireRotationLease, leaseNeeds, type RotationLock } from '../cluster/lease.ts';
import { getObject } from '../cluster/objects.ts';
import { type Journal, rotationLease, viewRotationLease } from '../cluster/rotation-lease.ts';
import type { Need } from '../cluster/status.ts';
import { apiServiceNames } from '../config/registration.ts';
import { RefusedError, UsageError } from '../errors.ts';
import { discardNext, hasNext, promoteNext, recover, refuseMount, writeNext } from '../project/generations.ts';
import { certificateFiles, projectFiles } from '../project/project.ts';
import { pathsOfSets } from '../project/sets.ts';
import { namingAllMissing, requireAccess } from './permissions.ts';
import { discardAbandoned } from './rotation/abandoned.ts';
import { requireSameTime } from './rotation/clock.ts';
import { decide } from './rotation/decide.ts';
import { patientStep } from './rotation/patient.ts';
import { isDue, requireAgreement, requireWayBack, requireWritable } from './rotation/preconditions.ts';
import type { PlannedStep, RotateRequest, RotateResult } from './rotation/request.ts';
import { type CertificateSet, certificateSet, kindOf, type Rotation, type RotationKind, serviceOf } from './rotation/rotation.ts';
import { readNextSet, readSet, withKey } from './rotation/sets.ts';
import { stepList } from './rotation/step-list.ts';
import { runSteps, type Step } from './runner.ts';
import { verifyStep } from './steps/verify.ts';

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
  const needs = stepNeeds(cluster, request);
  const abandoned = await namingAllMissing(cluster, needs, signal, () => discardAbandoned(cluster, request));
  if (abandoned) return abandoned;
  await requireAccess(cluster, needs, [], signal);
  const clock = await checkClock(cluster, request);
  const onWait = (other: string): void => onProgress({ kind: 'note', what: `${other} started a rotation; checking whether it still runs` });
  const lock = await acquireRotationLease(cluster, { service, holder, signal, onWait });
  try {
    recover(dir);
    const both = AbortSignal.any([signal, lock.lost]);
    // Every request in flight listens to the signal. Node would warn of a leak.
    setMaxListeners(0, both);
    return await rotateLocked(cluster, { ...request, ...clock, signal: both }, lock);
  } finally {
    await lock.stop();
  }
}

/**
 * The permissions of the Lease and of all steps. They depend on the kind of rotation, not on its
 * certificates.
 */
function stepNeeds(cluster: Cluster, request: RotateRequest): readonly Need[] {
  const { dir, registration, kind, abort } = request;
  const [current, next] = [readSet(dir, registration), readNextSet(dir, registration)];
  const none: CertificateSet = { chain: '', presented: [], leaf: '', anchors: [], key: undefined };
  const found = abort ? 'ca' : current && next ? kindOf(current, next) : kind;
  const rotation: Rotation = {
    ...request,
    cluster,
    now: () => new Date(),
    kind: found,
    direction: abort ? 'back' : 'forward',
    from: none,
    to: none,
    files: projectFiles(dir),
    caFiles: [],
  };
  const disk = { isIssued: () => false, write: () => {}, promote: () => {}, discard: () => {} };
  return [...leaseNeeds(serviceOf(request)), ...stepList(rotation, disk).flatMap((step) => step.needs())];
}

type TimedRequest = RotateRequest & Pick<Rotation, 'now'>;

/** Only new certificates need the local clock. @throws as `requireSameTime` */
async function checkClock(cluster: Cluster, request: RotateRequest): Promise<Clock> {
  const clock = await readClock(cluster, request.signal);
  const { dir, registration, abort } = request;
  const found = readSet(dir, registration);
  if (!abort && !hasNext(dir) && found && isDue(found, { ...request, ...clock })) requireSameTime(cluster, clock);
  return clock;
}

async function rotateLocked(cluster: Cluster, request: TimedRequest, lock: RotationLock): Promise<RotateResult> {
  const prepared = await prepare(cluster, request, lock);
  const result = 'rotation' in prepared ? await run(prepared, lock) : prepared;
  await lock.release();
  if (result.outcome !== 'rotated' && result.outcome !== 'aborted') return result;
  const { registration, onProgress, clusterFlags, project, signal } = request;
  const verify = verifyStep({ cluster, signal, onProgress }, { names: apiServiceNames(registration), clusterFlags, project, settleMs });
  await runSteps([verify], onProgress);
  return { ...result, diagnosis: verify.diagnosis() };
}

async function run({ rotation, steps, check, started }: Prepared, lock: RotationLock): Promise<RotateResult> {
  await check();
  const ran = await runAndRecord(rotation, steps, lock, started);
  const outcome = rotation.direction === 'forward' ? 'rotated' : 'aborted';
  return { outcome, kind: rotation.kind, steps: ran, from: rotation.from, to: rotation.to };
}

/**
 * In milliseconds. An API that was broken, because its certificate had expired, works again only
 * when kube-apiserver has checked it again, every 30 seconds
 * (kube-aggregator pkg/controllers/status/remote/remote_available_controller.go).
 */
const settleMs = 40_000;

/** Runs the steps. The Lease says which one runs, for `verify` and for whoever comes next. */
async function runAndRecord(
  rotation: Rotation,
  steps: readonly Step[],
  lock: RotationLock,
  started: string,
): Promise<readonly PlannedStep[]> {
  const ran = new Map<string, PlannedStep>();
  let checked = false;
  const record = async (step: Step): Promise<void> => {
    // Only certificates that are on disk can be in use.
    if (step.id === 'issue') return;
    if (!checked) await requireWritable(watched);
    checked = true;
    const index = steps.indexOf(step);
    await lock.record(journalOf(rotation, step, { number: index + 1, steps: steps.length, started }));
  };
  const watched = steps
    .map((step) => patientStep(step, rotation))
    .map(
      (step): Step => ({
        ...step,
        async observe() {
          const observation = await step.observe();
          if (observation.state !== 'fault') ran.set(step.id, { id: step.id, title: step.title ?? step.id, state: observation.state });
          return observation;
        },
      }),
    );
  await runSteps(watched, rotation.onProgress, (step) => record(steps[watched.indexOf(step)] ?? step));
  return [...ran.values()];
}

const journalOf = (
  { kind, direction, from, to }: Rotation,
  { id, title = id }: Step,
  progress: Pick<Journal, 'number' | 'steps' | 'started'>,
): Journal => {
  const [old, fresh] = direction === 'forward' ? [from, to] : [to, from];
  return {
    kind,
    direction,
    step: id,
    title,
    ...progress,
    ...(old ? { oldCertificate: old.leaf } : {}),
    ...(fresh ? { newCertificate: fresh.leaf } : {}),
  };
};

/** Tells what `rotate` would do, and what is done already. Changes nothing. @throws as `rotate` */
export const planRotation = (cluster: Cluster, request: RotateRequest): Promise<RotateResult> =>
  namingAllMissing(cluster, stepNeeds(cluster, request), request.signal, () => plan(cluster, request));

async function plan(cluster: Cluster, request: RotateRequest): Promise<RotateResult> {
  const abandoned = await discardAbandoned(cluster, request);
  if (abandoned) return abandoned;
  const clock = await checkClock(cluster, request);
  const lease = await getObject(cluster, rotationLease(serviceOf(request)), request.signal);
  const found = lease ? viewRotationLease(lease) : { journal: undefined, holder: '' };
  const prepared = await prepare(cluster, { ...request, ...clock }, found);
  if (!('rotation' in prepared)) return prepared;
  const { rotation, steps } = prepared;
  await prepared.check();
  const planned: PlannedStep[] = [];
  for (const step of steps) {
    const observation = await step.observe();
    if (observation.state === 'fault') throw observation.error;
    planned.push({ id: step.id, title: step.title ?? step.id, state: observation.state });
  }
  return { outcome: 'planned', kind: rotation.kind, steps: planned, from: rotation.from, to: rotation.to };
}

interface Prepared {
  readonly rotation: Rotation;
  readonly steps: readonly Step[];
  /** Where no Lease proves it: @throws RefusedError when the project differs from the cluster */
  readonly check: () => Promise<void>;
  /** ISO 8601. */
  readonly started: string;
}

type Where = Pick<Rotation, 'cluster' | 'registration' | 'signal' | 'now'>;

async function prepare(
  cluster: Cluster,
  request: TimedRequest,
  { journal, holder }: Pick<RotationLock, 'journal' | 'holder'>,
): Promise<Prepared | RotateResult> {
  const { dir, registration, signal, now, abort, kind, onProgress } = request;
  const where = { cluster, registration, signal, now };
  const [found, next] = [readSet(dir, registration), readNextSet(dir, registration)];
  const decision = decide({ current: found, next, journal, holder, abort });
  if (decision.action === 'nothing') return { outcome: 'nothing-to-abort', kind, steps: [], from: found, to: found };
  if (!found) throw new UsageError(`${projectFiles(dir).certificate} not found`, { fix: 'Restore it, or create a project: apisvc init' });
  if (decision.action === 'finish') return finished(where, found, journal?.kind ?? 'leaf', kind);
  if (decision.action === 'start' && !isDue(found, request)) return { outcome: 'not-due', kind, steps: [], from: found, to: found };
  if (decision.action === 'start') refuseMount(dir);
  const pending = decision.action === 'start' ? await request.issue() : undefined;
  const current = await withKey(where, found, request);
  const other = pending ? certificateSet(pending.issued) : 'next' in decision ? decision.next : undefined;
  const isBack = decision.action === 'back';
  const actual = other ? kindOf(current, other) : (journal?.kind ?? 'leaf');
  if (decision.action === 'continue' && kind === 'ca' && actual === 'leaf') throw otherKind();
  if (isBack && actual === 'ca') await requireWayBack(where, current);
  const to = isBack ? current : other;
  if (!to) throw new Error('a rotation without certificates');
  const pendingPath = pathsOfSets(dir).next;
  const rotation: Rotation = {
    ...request,
    cluster,
    kind: actual,
    direction: isBack ? 'back' : 'forward',
    from: isBack ? other : current,
    to,
    files: isBack ? projectFiles(dir) : certificateFiles(pendingPath),
    caFiles: [projectFiles(dir), ...(other ? [certificateFiles(pendingPath)] : [])].map(({ caCertificate }) => caCertificate),
  };
  const steps = stepList(rotation, {
    isIssued: () => hasNext(dir),
    write: () => pending && writeNext(dir, pending),
    promote: () => promoteNext(dir),
    discard: () => discardNext(dir),
  });
  if (decision.action !== 'start') onProgress({ kind: 'note', what: continuing(rotation, journal) });
  const inNext = decision.action === 'start' ? undefined : { set: other, path: pendingPath };
  const check = async (): Promise<void> => (journal && inNext ? undefined : requireAgreement(where, current, inNext));
  return { rotation, steps, check, started: journal?.started ?? new Date().toISOString() };
}

/** The end of a rotation whose last step ran. Another cluster may have the certificates instead. */
async function finished(where: Where, current: CertificateSet, kind: RotationKind, asked: RotationKind): Promise<RotateResult> {
  if (asked === 'ca' && kind === 'leaf') throw otherKind();
  await requireAgreement(where, current);
  return { outcome: 'rotated', kind, steps: [], from: undefined, to: current };
}

const otherKind = (): RefusedError =>
  new RefusedError('a rotation of the serving certificate is in progress, and --ca asks for a new CA', {
    fix: 'Finish it first: apisvc rotate\nOr go back first: apisvc rotate --abort',
  });

const continuing = ({ kind, direction }: Rotation, journal: Journal | undefined): string => {
  const what = kind === 'ca' ? 'the rotation of the CA' : 'the rotation of the serving certificate';
  const since = journal ? ` that started at ${journal.started}` : '';
  return direction === 'back' ? `aborting ${what}${since}` : `continuing ${what}${since}`;
};
