import { createHash, randomBytes } from 'node:crypto';
import { nodeName } from './api.ts';
import type { Json } from './types.ts';

// What the controllers for Deployments and ReplicaSets do (k8s.io/kubernetes/pkg/controller/deployment, .../replicaset), as far as one machine needs it: of a rolling
// update's maxSurge and maxUnavailable is made "new pods first, an old one goes for each that is available", which both of them always allow.

/** The label that tells the pods of one ReplicaSet from those of another (k8s.io/api/apps/v1/types.go, DefaultDeploymentUniqueLabelKey). */
const hashLabel = 'pod-template-hash';
/** Numbers the ReplicaSets of a Deployment (pkg/controller/deployment/util/deployment_util.go, RevisionAnnotation). */
export const revisionAnnotation = 'deployment.kubernetes.io/revision';

/** What there is of one Deployment. */
export interface Rollout {
  readonly deployment: Json;
  /** Its ReplicaSets. */
  readonly sets: readonly Json[];
  /** Pods of these ReplicaSets, those on their way out included. */
  readonly pods: readonly Json[];
}

/** The next thing to do for it; when that is done things look different, and it is asked again. */
export interface Step {
  /** A ReplicaSet that has to be there before anything else. */
  readonly newSet?: Json;
  readonly newPods: readonly Json[];
  readonly oldPods: readonly Json[];
  /** Old ReplicaSets without pods, more than are to be kept. */
  readonly oldSets: readonly Json[];
}

/** The ReplicaSet that the pods should be of: that of the template, or while a roll-out is paused the newest one. */
export function currentSet({ deployment, sets }: Pick<Rollout, 'deployment' | 'sets'>): Json {
  const hash = templateHash(deployment.spec.template);
  const same = sets.find(({ metadata }) => metadata.labels?.[hashLabel] === hash);
  return same ?? (deployment.spec.paused ? byRevision(sets).at(-1) : undefined);
}

export function nextStep({ deployment, sets, pods }: Rollout, now: Date): Step {
  const { replicas = 1, paused = false, strategy, revisionHistoryLimit = 10 } = deployment.spec;
  const nothing = { newPods: [], oldPods: [], oldSets: [] };
  const current = currentSet({ deployment, sets });
  if (!current) return paused ? nothing : { ...nothing, newSet: newSetOf(deployment, nextRevision(sets)) };
  const ofCurrent = pods.filter((pod) => isOf(current, pod));
  const ofOthers = pods.filter((pod) => !isOf(current, pod) && (isLive(pod) || pod.metadata.deletionTimestamp !== undefined));
  const live = ofCurrent.filter(isLive);
  // Pods on their way out count too: two of them might not get on with each other.
  const mustWait = strategy?.type === 'Recreate' && !paused && ofOthers.length > 0;
  const available = live.filter((pod) => isAvailable(pod, deployment, now)).length;
  const othersKept = paused ? ofOthers.length : mustWait ? 0 : Math.max(0, replicas - available);
  const missing = mustWait ? 0 : Math.max(0, replicas - live.length);
  return {
    newPods: Array.from({ length: missing }, () => newPodOf(current)),
    oldPods: [...surplus(live, replicas), ...surplus(ofOthers.filter(isLive), othersKept)],
    oldSets: surplusSets({ current, sets, pods }, revisionHistoryLimit),
  };
}

export const isOf = (set: Json, { metadata }: Json): boolean => controllerOf(metadata) === set.metadata.uid;
/** Uid of the one object that looks after another. */
export const controllerOf = ({ ownerReferences = [] }: Json): string | undefined =>
  ownerReferences.find(({ controller }: Json) => controller === true)?.uid;

export const isLive = ({ metadata, status }: Json): boolean =>
  metadata.deletionTimestamp === undefined && status?.phase !== 'Failed' && status?.phase !== 'Succeeded';

const readyCondition = ({ status }: Json): Json => status?.conditions?.find(({ type }: Json) => type === 'Ready');
export const isReady = (pod: Json): boolean => readyCondition(pod)?.status === 'True';

/** Ready for minReadySeconds. */
export const isAvailable = (pod: Json, { spec: { minReadySeconds = 0 } }: Json, now: Date): boolean =>
  isReady(pod) && (minReadySeconds === 0 || now.getTime() - Date.parse(readyCondition(pod).lastTransitionTime) >= minReadySeconds * 1000);

/** Those that are too many, the unready and the youngest first. */
const surplus = (pods: readonly Json[], kept: number): readonly Json[] =>
  pods.toSorted((one, other) => Number(isReady(other)) - Number(isReady(one)) || bornAt(one) - bornAt(other)).slice(kept);

const bornAt = ({ metadata }: Json): number => Date.parse(metadata.creationTimestamp) || 0;

function surplusSets(
  { current, sets, pods }: { current: Json; sets: readonly Json[]; pods: readonly Json[] },
  limit: number,
): readonly Json[] {
  const empty = sets.filter((set) => set !== current && !pods.some((pod) => isOf(set, pod)));
  return byRevision(empty).slice(0, Math.max(0, empty.length - limit));
}

const byRevision = (sets: readonly Json[]): Json[] => sets.toSorted((one, other) => revisionOf(one) - revisionOf(other));
export const revisionOf = ({ metadata }: Json): number => Number(metadata.annotations?.[revisionAnnotation] ?? 0);
export const nextRevision = (sets: readonly Json[]): number => Math.max(0, ...sets.map(revisionOf)) + 1;

function newSetOf({ apiVersion, kind, metadata, spec }: Json, revision: number): Json {
  const hash = templateHash(spec.template);
  const labels = { ...spec.template.metadata?.labels, [hashLabel]: hash };
  return {
    apiVersion,
    kind: 'ReplicaSet',
    metadata: {
      name: `${metadata.name}-${hash}`,
      namespace: metadata.namespace,
      labels,
      annotations: { [revisionAnnotation]: String(revision) },
      ownerReferences: [ownerReference({ apiVersion, kind, metadata })],
    },
    spec: {
      replicas: spec.replicas ?? 1,
      selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [hashLabel]: hash } },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  };
}

function newPodOf({ apiVersion, kind, metadata, spec }: Json): Json {
  const { labels, annotations } = spec.template.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${metadata.name}-${randomBytes(3).toString('hex').slice(1)}`,
      namespace: metadata.namespace,
      labels,
      annotations,
      ownerReferences: [ownerReference({ apiVersion, kind, metadata })],
    },
    // There is one node, so nobody needs to look for one.
    spec: { ...spec.template.spec, nodeName },
  };
}

export const ownerReference = ({ apiVersion, kind, metadata: { name, uid } }: Json): object => ({
  apiVersion,
  kind,
  name,
  uid,
  controller: true,
  blockOwnerDeletion: true,
});

/** The same for the same template, in whatever order its fields come. */
function templateHash(template: Json): string {
  const ordered = JSON.stringify(template, (_, value) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(ordered).digest('hex').slice(0, 10);
}
