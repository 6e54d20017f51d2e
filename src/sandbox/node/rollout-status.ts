import { timestamp } from '../shared/timestamp.ts';
import { imageMissing } from './pod-status.ts';
import type { Json } from './registry.ts';
import { currentSet, isLive, isOf, isReady, type Rollout } from './rollout-plan.ts';

/**
 * In milliseconds. A pod whose image cannot run here never progresses. The delay lets the client that
 * applied the Deployment start to watch it.
 */
const unrunnableMs = 3_000;

interface StatusAndWait {
  readonly status: Json;
  /** Milliseconds until it must be reconciled even when nothing changes. */
  readonly againMs: number | undefined;
}

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
export function deploymentStatus(rollout: Rollout, failure: string | undefined, now: Date): StatusAndWait {
  const { deployment, sets, pods } = rollout;
  const { metadata, spec, status: before = {} } = deployment;
  const current = currentSet({ deployment, sets });
  const live = pods.filter(isLive);
  const wanted: number = spec.replicas ?? 1;
  const readyReplicas = live.filter(isReady).length;
  const counts = {
    replicas: live.length,
    updatedReplicas: current ? live.filter((pod) => isOf(current, pod)).length : 0,
    readyReplicas,
    availableReplicas: readyReplicas,
    unavailableReplicas: Math.max(0, Math.max(wanted, live.length) - readyReplicas),
  };
  const had = (type: string): Json => before.conditions?.find((each: Json) => each.type === type);
  const { condition: progressing, againMs } = progressOf(rollout, { current, counts, wanted, before: had('Progressing') }, now);
  const conditions = [
    condition(had('Available'), availabilityOf(counts.availableReplicas, deployment), now),
    ...(progressing ? [progressing] : []),
    ...(failure === undefined
      ? []
      : [condition(had('ReplicaFailure'), { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: failure }, now)]),
  ];
  const status = { observedGeneration: metadata.generation, ...counts, conditions };
  return { status, againMs: failure !== undefined ? 1_000 : againMs };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

function availabilityOf(available: number, { spec: { replicas = 1, strategy } }: Json): Condition {
  const mayLack = absent(strategy?.rollingUpdate?.maxUnavailable ?? '25%', replicas);
  return available >= replicas - mayLack
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

/** A number, or a percentage of the replicas, rounded down (k8s.io/apimachinery/pkg/util/intstr). */
const absent = (value: number | string, replicas: number): number =>
  typeof value === 'number' ? value : Math.floor((replicas * Number.parseInt(value, 10)) / 100);

/** Keeps the times of an unchanged condition (deployment_util.go, SetDeploymentCondition). */
function condition(before: Json, next: Condition, now: Date): Json {
  if (before?.status === next.status && before.reason === next.reason) return { ...before, ...next };
  const time = timestamp(now);
  return { ...next, lastUpdateTime: time, lastTransitionTime: before?.status === next.status ? before.lastTransitionTime : time };
}

interface Counted {
  readonly current: Json;
  readonly counts: Json;
  readonly wanted: number;
  readonly before: Json;
}

function progressOf(
  { deployment, pods }: Rollout,
  { current, counts, wanted, before }: Counted,
  now: Date,
): { condition: Json; againMs: number | undefined } {
  const { spec, status = {} } = deployment;
  if (!current) return { condition: before, againMs: undefined };
  const { name } = current.metadata;
  const say = (status: string, reason: string, message: string): Json =>
    condition(before, { type: 'Progressing', status, reason, message }, now);
  const about = before?.message.includes(`"${name}"`) === true;
  const complete = counts.updatedReplicas === wanted && counts.replicas === wanted && counts.availableReplicas >= wanted;
  // A complete rollout stays complete until the template changes.
  if (complete || (about && before.reason === 'NewReplicaSetAvailable')) {
    return { condition: say('True', 'NewReplicaSetAvailable', `ReplicaSet "${name}" has successfully progressed.`), againMs: undefined };
  }
  const progressed = ['updatedReplicas', 'readyReplicas', 'availableReplicas'].some((key) => counts[key] > (status[key] ?? 0));
  const unrunnable = about && pods.filter((pod) => isOf(current, pod)).flatMap(unrunnableReasons)[0];
  const deadlineMs = unrunnable ? unrunnableMs : (spec.progressDeadlineSeconds ?? 600) * 1000;
  if (about && (!progressed || unrunnable)) {
    const leftMs = Date.parse(before.lastUpdateTime) + deadlineMs - now.getTime();
    if (before.status === 'False' && !unrunnable) return { condition: before, againMs: undefined };
    if (leftMs > 0 && before.status !== 'False') return { condition: before, againMs: leftMs };
    const words = unrunnable ? `ReplicaSet "${name}" cannot progress: ${unrunnable}` : `ReplicaSet "${name}" has timed out progressing.`;
    return { condition: say('False', 'ProgressDeadlineExceeded', words), againMs: undefined };
  }
  const time = timestamp(now);
  const [reason, message] = about
    ? ['ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`]
    : ['NewReplicaSetCreated', `Created new replica set "${name}"`];
  return { condition: { ...say('True', reason as string, message as string), lastUpdateTime: time }, againMs: deadlineMs };
}

/** Why a pod will never run: its image is not available. */
const unrunnableReasons = ({ status }: Json): string[] =>
  (status?.containerStatuses ?? []).flatMap(({ state }: Json) => (state?.waiting?.reason === imageMissing ? [state.waiting.message] : []));
