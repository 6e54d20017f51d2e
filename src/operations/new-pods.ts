import type { Cluster } from '../cluster/cluster.ts';
import { getObject, listObjects } from '../cluster/objects.ts';
import { type ObjectRef, resources } from '../cluster/resources.ts';
import type { KubeObject } from '../manifests/types.ts';
import { observeOrThrow } from '../snapshot/collect/observe.ts';
import { addPodDetails, labelSelectorOf, listPods } from '../snapshot/collect/pods.ts';
import { viewPod } from '../snapshot/pod-view.ts';
import type { Observed, PodView } from '../snapshot/types.ts';
import { listOf } from '../snapshot/views.ts';

/** A Deployment as the server returns it. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object.
type Deployment = KubeObject & any;

/**
 * Reads the pods of a Deployment's latest ReplicaSet, and the pods that are being deleted.
 * @returns undefined while the Deployment does not exist
 */
export async function newPods(cluster: Cluster, ref: ObjectRef, signal: AbortSignal): Promise<Observed<readonly PodView[]> | undefined> {
  const deployment: Deployment = await getObject(cluster, ref, signal);
  if (!deployment) return undefined;
  const { namespace } = deployment.metadata;
  const pods = await observeOrThrow(
    signal,
    () => listPods(cluster, { namespace, selector: deployment.spec.selector }, signal),
    (found) => found.map(viewPod),
  );
  if (pods.state !== 'seen') return pods;
  const chosen = await ofLatestReplicaSet(cluster, deployment, pods.value, signal);
  return { state: 'seen', value: await addPodDetails(cluster, namespace, chosen, signal) };
}

/**
 * The annotation that numbers the ReplicaSets of a Deployment
 * (k8s.io/kubernetes/pkg/controller/deployment/util/deployment_util.go, RevisionAnnotation).
 */
const revisionOf = ({ metadata }: KubeObject): number => Number(metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);

/**
 * Selects the pods of the latest ReplicaSet. Problems of older pods do not matter, because the
 * rollout deletes them; pods that are being deleted may free resources. Without the permission to
 * list ReplicaSets, the latest is known only when all pods have the same owner.
 */
async function ofLatestReplicaSet(
  cluster: Cluster,
  { metadata, spec }: Deployment,
  pods: readonly PodView[],
  signal: AbortSignal,
): Promise<readonly PodView[]> {
  if (pods.every(({ ready }) => ready)) return pods;
  const of = { resource: resources.ReplicaSet, namespace: metadata.namespace, labelSelector: labelSelectorOf(spec.selector) };
  const found = await observeOrThrow(
    signal,
    () => listObjects(cluster, of, signal),
    (sets) => sets.filter((set: Deployment) => listOf(set.metadata.ownerReferences).some(({ uid }) => uid === metadata.uid)),
  );
  const latest =
    found.state === 'seen'
      ? found.value.toSorted((one, other) => revisionOf(other) - revisionOf(one)).map(({ metadata }: Deployment) => metadata.uid)[0]
      : singleValue(pods.map(({ owner }) => owner));
  return pods.filter(({ owner, deleting }) => deleting || (latest !== undefined && owner === latest));
}

const singleValue = <T>(values: readonly T[]): T | undefined => (new Set(values).size === 1 ? values[0] : undefined);
