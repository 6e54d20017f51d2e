import { createHash, randomBytes } from 'node:crypto';
import { nodeName } from './api.ts';
import type { Json } from './registry.ts';

// The rules of the Deployment and ReplicaSet controllers
// (k8s.io/kubernetes/pkg/controller/deployment, .../replicaset) that one node needs. A rolling
// update creates new pods first, and deletes an old pod for each new one that is ready. Every
// maxSurge and maxUnavailable allows that. With strategy Recreate, all old pods end first.

/** The label that identifies the pods of one ReplicaSet (k8s.io/api/apps/v1/types.go). */
const hashLabel = 'pod-template-hash';
/** Numbers the ReplicaSets of a Deployment (pkg/controller/deployment/util/deployment_util.go). */
export const revisionAnnotation = 'deployment.kubernetes.io/revision';

/** A Deployment with its ReplicaSets and their pods, including pods that are being deleted. */
export interface Rollout {
  readonly deployment: Json;
  readonly sets: readonly Json[];
  readonly pods: readonly Json[];
}

/** The next changes to the cluster. */
export interface Step {
  /** A ReplicaSet to create before anything else. */
  readonly newSet?: Json;
  readonly newPods: readonly Json[];
  readonly oldPods: readonly Json[];
}

/** The ReplicaSet of the Deployment's template; undefined before it is created. */
export function currentSet({ deployment, sets }: Pick<Rollout, 'deployment' | 'sets'>): Json {
  const hash = templateHash(deployment.spec.template);
  return sets.find(({ metadata }) => metadata.labels?.[hashLabel] === hash);
}

export function nextStep({ deployment, sets, pods }: Rollout): Step {
  const { replicas = 1, strategy } = deployment.spec;
  const current = currentSet({ deployment, sets });
  if (!current) return { newPods: [], oldPods: [], newSet: newSetOf(deployment, nextRevision(sets)) };
  const live = pods.filter((pod) => isOf(current, pod) && isLive(pod));
  const old = pods.filter((pod) => !isOf(current, pod));
  const recreate = strategy?.type === 'Recreate';
  const missing = recreate && old.length > 0 ? 0 : Math.max(0, replicas - live.length);
  const oldKept = recreate ? 0 : Math.max(0, replicas - live.filter(isReady).length);
  return {
    newPods: Array.from({ length: missing }, () => newPodOf(current)),
    oldPods: [...surplus(live, replicas), ...surplus(old.filter(isLive), oldKept)],
  };
}

export const isOf = (set: Json, { metadata }: Json): boolean => controllerOf(metadata) === set.metadata.uid;
/** The uid of the controller of an object. */
export const controllerOf = ({ ownerReferences = [] }: Json): string | undefined =>
  ownerReferences.find(({ controller }: Json) => controller === true)?.uid;

export const isLive = ({ metadata, status }: Json): boolean =>
  metadata.deletionTimestamp === undefined && status?.phase !== 'Failed' && status?.phase !== 'Succeeded';

export const isReady = ({ status }: Json): boolean => status?.conditions?.find(({ type }: Json) => type === 'Ready')?.status === 'True';

/** The pods to delete so that `kept` remain: the unready and the youngest first. */
const surplus = (pods: readonly Json[], kept: number): readonly Json[] =>
  pods.toSorted((one, other) => Number(isReady(other)) - Number(isReady(one)) || bornAt(one) - bornAt(other)).slice(kept);

const bornAt = ({ metadata }: Json): number => Date.parse(metadata.creationTimestamp) || 0;

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
    // The cluster has one node and no scheduler.
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

/** The same for equal templates, whatever the order of their fields. */
function templateHash(template: Json): string {
  const ordered = JSON.stringify(template, (_, value) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(ordered).digest('hex').slice(0, 10);
}
