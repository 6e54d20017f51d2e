import { timestamp } from '../shared/timestamp.ts';
import { imageMissing } from './pod-status.ts';
import type { Json } from './registry.ts';
import { currentSet, isLive, isOf, isReady, type Rollout } from './rollout-plan.ts';

/**
 * In milliseconds. A pod whose image cannot run here never progresses. The delay lets the client
 * that applied the Deployment start to watch it.
 */
const unrunnableMs = 3_000;

/** The status of a ReplicaSet. */
export function setStatus(set: Json, pods: readonly Json[]): Json {
  const live = pods.filter((pod) => isOf(set, pod) && isLive(pod));
  const ready = live.filter(isReady).length;
  return {
    observedGeneration: set.metadata.generation,
    replicas: live.length,
    fullyLabeledReplicas: live.length,
    readyReplicas: ready,
    availableReplicas: ready,
  };
}

/**
 * The status of a Deployment (k8s.io/kubernetes/pkg/controller/deployment/sync.go, calculateStatus;
 * progress.go, syncRolloutStatus). Pure.
 * @param failure why pods cannot be created, as kube-apiserver reports it
 */
export function deploymentStatus(
  { deployment, sets, pods }: Rollout,
  failure: string | undefined,
  now: Date,
): { readonly status: Json; readonly againMs: number | undefined } {
  const { metadata, spec, status: before = {} } = deployment;
  const current = currentSet({ deployment, sets });
  const live = pods.filter(isLive);
  const own = current ? live.filter((pod) => isOf(current, pod)) : [];
  const wanted: number = spec.replicas ?? 1;
  const ready = live.filter(isReady).length;
  const counts = {
    replicas: live.length,
    updatedReplicas: own.length,
    readyReplicas: ready,
    availableReplicas: ready,
    unavailableReplicas: Math.max(0, Math.max(wanted, live.length) - ready),
  };
  const had = (type: string): Json => before.conditions?.find((each: Json) => each.type === type);
  const { progressing, againMs } = progressOf(deployment, { current, own, counts, before: had('Progressing') }, now);
  const available =
    ready >= wanted
      ? { status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
      : { status: 'False', reason: 'MinimumReplicasUnavailable', message: 'Deployment does not have minimum availability.' };
  const conditions = [condition(had('Available'), { type: 'Available', ...available }, now), ...(progressing ? [progressing] : [])];
  if (failure !== undefined) {
    const failed = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: failure };
    conditions.push(condition(had('ReplicaFailure'), failed, now));
  }
  const status = { observedGeneration: metadata.generation, ...counts, conditions };
  return { status, againMs: failure === undefined ? againMs : 1_000 };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** Keeps the times of an unchanged condition (deployment_util.go, SetDeploymentCondition). */
function condition(before: Json, next: Condition, now: Date): Json {
  if (before?.status === next.status && before.reason === next.reason) return { ...before, ...next };
  const time = timestamp(now);
  return { ...next, lastUpdateTime: time, lastTransitionTime: before?.status === next.status ? before.lastTransitionTime : time };
}

interface Progress {
  /** The ReplicaSet of the template, and its pods. */
  readonly current: Json;
  readonly own: readonly Json[];
  readonly counts: Json;
  readonly before: Json;
}

function progressOf(
  { spec, status = {} }: Json,
  { current, own, counts, before }: Progress,
  now: Date,
): { readonly progressing: Json; readonly againMs?: number } {
  if (!current) return { progressing: before };
  const { name } = current.metadata;
  const next = (status: string, reason: string, message: string): Json =>
    condition(before, { type: 'Progressing', status, reason, message }, now);
  const sameSet = before?.message.includes(`"${name}"`) === true;
  const { replicas: wanted = 1 } = spec;
  const complete = counts.updatedReplicas === wanted && counts.replicas === wanted && counts.availableReplicas >= wanted;
  // A complete rollout stays complete until the template changes.
  if (complete || (sameSet && before.reason === 'NewReplicaSetAvailable'))
    return { progressing: next('True', 'NewReplicaSetAvailable', `ReplicaSet "${name}" has successfully progressed.`) };
  const progressed = ['updatedReplicas', 'readyReplicas', 'availableReplicas'].some((key) => counts[key] > (status[key] ?? 0));
  const unrunnable = sameSet && own.flatMap(unrunnableReasons)[0];
  const deadlineMs = unrunnable ? unrunnableMs : (spec.progressDeadlineSeconds ?? 600) * 1000;
  if (sameSet && (!progressed || unrunnable)) {
    const leftMs = Date.parse(before.lastUpdateTime) + deadlineMs - now.getTime();
    if (before.status === 'False' && !unrunnable) return { progressing: before };
    if (leftMs > 0 && before.status !== 'False') return { progressing: before, againMs: leftMs };
    const message = `ReplicaSet "${name}" ${unrunnable ? `cannot progress: ${unrunnable}` : 'has timed out progressing.'}`;
    return { progressing: next('False', 'ProgressDeadlineExceeded', message) };
  }
  const progressing = sameSet
    ? next('True', 'ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`)
    : next('True', 'NewReplicaSetCreated', `Created new replica set "${name}"`);
  return { progressing: { ...progressing, lastUpdateTime: timestamp(now) }, againMs: deadlineMs };
}

/** Why a pod will never run: its image is not available. */
const unrunnableReasons = ({ status }: Json): string[] =>
  (status?.containerStatuses ?? []).flatMap(({ state }: Json) => (state?.waiting?.reason === imageMissing ? [state.waiting.message] : []));
