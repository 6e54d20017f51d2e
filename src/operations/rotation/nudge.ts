import { resources } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { mergePatch } from './merge-patch.ts';
import type { Rotation } from './rotation.ts';

/** The annotation of a pod: the certificate that kubelet was asked to fetch. */
const nudgedFor = 'apisvc.dev/nudged-for';

/**
 * Changes an annotation of each pod, so that kubelet syncs the pod and its Secrets at once. A pod
 * that was deleted since it was listed needs nothing.
 */
export async function nudgePods(rotation: Rotation, pods: readonly KubeObject[]): Promise<void> {
  const { leaf } = rotation.to;
  const others = pods.filter(({ metadata }) => metadata.annotations?.[nudgedFor] !== leaf);
  await Promise.all(
    others.map(({ metadata: { namespace, name } }) =>
      mergePatch(rotation, { resource: resources.Pod, namespace, name }, { metadata: { annotations: { [nudgedFor]: leaf } } }),
    ),
  );
}
