import { timestamp } from '../shared/timestamp.ts';
import { imageMissing } from './pod-status.ts';
import { currentSet, isAvailable, isLive, isOf, isReady, type Rollout } from './rollout-plan.ts';
import type { Json } from './types.ts';

/** For a pod that never can run here there is nothing to wait for; long enough that whoever applied the Deployment looks on already. */
const hopelessMs = 3_000;

interface StatusAndWait {
  readonly status: Json;
  /** When it has to be looked at again though nothing changes. */
  readonly againMs: number | undefined;
}

/** What a ReplicaSet's status says of its pods. */
export function setStatus(set: Json, { deployment, pods }: Omit<Rollout, 'sets'>, now: Date): Json {
  const live = pods.filter((pod) => isOf(set, pod) && isLive(pod));
  return {
    observedGeneration: set.metadata.generation,
    replicas: live.length,
    fullyLabeledReplicas: live.length,
    readyReplicas: live.filter(isReady).length,
    availableReplicas: live.filter((pod) => isAvailable(pod, deployment, now)).length,
  };
}

/**
 * The status of a Deployment (k8s.io/kubernetes/pkg/controller/deployment/sync.go, calculateStatus; progress.go, syncRolloutStatus). Pure.
 * @param failure why pods can't be made, in the words of kube-apiserver
 */
export function deploymentStatus(rollout: Rollout, failure: string | undefined, now: Date): StatusAndWait {
  const { deployment, sets, pods } = rollout;
  const { metadata, spec, status: before = {} } = deployment;
  const current = currentSet({ deployment, sets });
  const live = pods.filter(isLive);
  const wanted: number = spec.replicas ?? 1;
  const availableReplicas = live.filter((pod) => isAvailable(pod, deployment, now)).length;
  const counts = {
    replicas: live.length,
    updatedReplicas: current ? live.filter((pod) => isOf(current, pod)).length : 0,
    readyReplicas: live.filter(isReady).length,
    availableReplicas,
    unavailableReplicas: Math.max(0, Math.max(wanted, live.length) - availableReplicas),
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
  const unavailable = live.some((pod) => isReady(pod) && !isAvailable(pod, deployment, now));
  const status = { observedGeneration: metadata.generation, ...counts, conditions };
  return { status, againMs: unavailable || failure !== undefined ? 1_000 : againMs };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** At least as many as the strategy lets be absent; which is none here, but the words are for all replicas. */
function availabilityOf(available: number, { spec: { replicas = 1, strategy } }: Json): Condition {
  const mayLack = strategy?.type === 'Recreate' ? 0 : absent(strategy?.rollingUpdate?.maxUnavailable ?? '25%', replicas);
  return available >= replicas - mayLack
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

/** A number or a part of the replicas, rounded down (k8s.io/apimachinery/pkg/util/intstr). */
const absent = (value: number | string, replicas: number): number =>
  typeof value === 'number' ? value : Math.floor((replicas * Number.parseInt(value, 10)) / 100);

/** Keeps the times of a condition that says the same as before (deployment_util.go, SetDeploymentCondition). */
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
  if (spec.paused) {
    const paused = { type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' };
    return { condition: condition(before, paused, now), againMs: undefined };
  }
  if (!current) return { condition: before, againMs: undefined };
  const { name } = current.metadata;
  const say = (status: string, reason: string, message: string): Json =>
    condition(before, { type: 'Progressing', status, reason, message }, now);
  const about = before?.message.includes(`"${name}"`) === true;
  const complete = counts.updatedReplicas === wanted && counts.replicas === wanted && counts.availableReplicas >= wanted;
  // Once complete it stays so until there is another template, whatever becomes of the pods.
  if (complete || (about && before.reason === 'NewReplicaSetAvailable')) {
    return { condition: say('True', 'NewReplicaSetAvailable', `ReplicaSet "${name}" has successfully progressed.`), againMs: undefined };
  }
  const progressed = ['updatedReplicas', 'readyReplicas', 'availableReplicas'].some((key) => counts[key] > (status[key] ?? 0));
  const hopeless = about && pods.filter((pod) => isOf(current, pod)).flatMap(hopelessOf)[0];
  const deadlineMs = hopeless ? hopelessMs : (spec.progressDeadlineSeconds ?? 600) * 1000;
  if (about && (!progressed || hopeless)) {
    const leftMs = Date.parse(before.lastUpdateTime) + deadlineMs - now.getTime();
    if (before.status === 'False' && !hopeless) return { condition: before, againMs: undefined };
    if (leftMs > 0 && before.status !== 'False') return { condition: before, againMs: leftMs };
    const words = hopeless ? `ReplicaSet "${name}" can not progress: ${hopeless}` : `ReplicaSet "${name}" has timed out progressing.`;
    return { condition: say('False', 'ProgressDeadlineExceeded', words), againMs: undefined };
  }
  const time = timestamp(now);
  const [reason, message] = about
    ? ['ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`]
    : ['NewReplicaSetCreated', `Created new replica set "${name}"`];
  return { condition: { ...say('True', reason as string, message as string), lastUpdateTime: time }, againMs: deadlineMs };
}

/** Why a pod will never run: nobody brings an image here. */
const hopelessOf = ({ status }: Json): string[] =>
  (status?.containerStatuses ?? []).flatMap(({ state }: Json) => (state?.waiting?.reason === imageMissing ? [state.waiting.message] : []));
