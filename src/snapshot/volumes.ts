import type { KubeObject } from '../manifests/types.ts';
import { mountsAt } from './secret-mounts.ts';
import type { Container } from './server-flags.ts';
import { type Json, listOf, textOf } from './views.ts';

/** The volume that holds a file of a container. */
export interface VolumeAt {
  /** Its field in the manifest: `emptyDir`, `csi`, `hostPath`, ... */
  readonly type: string;
  /** Whether another container of the pod mounts it too. */
  readonly shared: boolean;
}

/** All containers of a pod, also those that end before the others start. */
export const allContainers = ({ spec }: KubeObject & Json): readonly Container[] => [
  ...listOf(spec?.containers),
  ...listOf(spec?.initContainers),
];

/** @returns undefined for a file outside of all volumes */
export function volumeAt(pod: KubeObject & Json, container: Container, path: string): VolumeAt | undefined {
  const mounts = listOf(container.volumeMounts).map(({ name, mountPath }) => ({ name, mountPath: textOf(mountPath).replace(/\/+$/, '') }));
  const [mount] = mountsAt(mounts, path);
  if (mount === undefined) return undefined;
  const volume = listOf(pod.spec?.volumes).find(({ name }) => name === mount.name);
  // A StatefulSet adds volumes for its volumeClaimTemplates.
  const type = Object.keys(volume ?? {}).find((key) => key !== 'name') ?? 'persistentVolumeClaim';
  const others = allContainers(pod).filter(({ name }) => name !== container.name);
  return { type, shared: others.some(({ volumeMounts }) => listOf(volumeMounts).some(({ name }) => name === mount.name)) };
}
