import type { ManifestFault } from '../../manifests/types.ts';
import { workloadKinds } from './objects.ts';
import { placeText, type ReadObject } from './read.ts';

/** A version that kube-apiserver no longer serves, and the one that replaces it. */
export interface RemovedVersion {
  readonly kinds: readonly string[];
  readonly since: string;
  readonly current: string;
  /** What else the replacement needs, as a sentence. */
  readonly needs?: string;
}

const rbacKinds = ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'];
const workloads = { kinds: workloadKinds, since: '1.16', current: 'apps/v1', needs: 'apps/v1 requires spec.selector.' };

/**
 * The versions in the Kubernetes deprecation guide of what is installed with a server: workloads,
 * RBAC and CustomResourceDefinitions.
 */
export const removedVersions: ReadonlyMap<string, RemovedVersion> = new Map<string, RemovedVersion>([
  ['extensions/v1beta1', workloads],
  ['apps/v1beta1', workloads],
  ['apps/v1beta2', workloads],
  [
    'apiextensions.k8s.io/v1beta1',
    {
      kinds: ['CustomResourceDefinition'],
      since: '1.22',
      current: 'apiextensions.k8s.io/v1',
      needs: 'apiextensions.k8s.io/v1 requires spec.versions with a schema for each version.',
    },
  ],
  ['rbac.authorization.k8s.io/v1beta1', { kinds: rbacKinds, since: '1.22', current: 'rbac.authorization.k8s.io/v1' }],
]);

/** The most objects that a fault names. */
const mostNamed = 5;

/** Objects that kubectl cannot apply, one fault a version. */
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
