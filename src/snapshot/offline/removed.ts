import type { ManifestFault } from '../../manifests/types.ts';
import { workloadKinds } from './objects.ts';
import { placeText, type ReadObject } from './read.ts';

/** A version that kube-apiserver no longer serves, and the one that replaces it. */
export interface RemovedVersion {
  readonly kinds: readonly string[];
  readonly since: string;
  readonly current: string;
}

const rbacKinds = ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'];
const workloads = { kinds: workloadKinds, since: '1.16', current: 'apps/v1' };

/** The versions of workloads and RBAC in the Kubernetes deprecation guide. */
export const removedVersions: ReadonlyMap<string, RemovedVersion> = new Map<string, RemovedVersion>([
  ['extensions/v1beta1', workloads],
  ['apps/v1beta1', workloads],
  ['apps/v1beta2', workloads],
  ['rbac.authorization.k8s.io/v1beta1', { kinds: rbacKinds, since: '1.22', current: 'rbac.authorization.k8s.io/v1' }],
]);

/** The most objects that a fault names. */
const mostNamed = 5;

/** Workloads and RBAC objects that kubectl cannot apply, one fault a version. */
export function removedFaults(read: readonly ReadObject[]): ManifestFault[] {
  const found = new Map<string, ReadObject[]>();
  for (const each of read) {
    const { apiVersion, kind } = each.object;
    if (!removedVersions.get(apiVersion)?.kinds.includes(kind)) continue;
    const same = found.get(apiVersion) ?? [];
    same.push(each);
    found.set(apiVersion, same);
  }
  return [...found].map(([apiVersion, objects]) => {
    const names = objects.slice(0, mostNamed).map(textOf);
    const more = objects.length > mostNamed ? [`${objects.length - mostNamed} more`] : [];
    const [first] = objects as [ReadObject];
    return { ...first.placeOf(['apiVersion']), kind: 'removed-version', apiVersion, words: [...names, ...more].join(', ') };
  });
}

const textOf = (read: ReadObject): string => `${read.object.kind} ${read.object.metadata.name} (${placeText(read, ['apiVersion'])})`;
