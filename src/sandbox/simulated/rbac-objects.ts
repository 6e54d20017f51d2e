import { required, unsupported, type Wrong, wrong } from './faults.ts';
import type { Obj } from './types.ts';

const rbac = 'rbac.authorization.k8s.io';

/** Fills in the group of the role of a binding and, but for ServiceAccounts, of its subjects. */
export function withBindingDefaults(object: Obj): Obj {
  const withGroup = (subject: Obj): Obj => (['User', 'Group'].includes(subject.kind) ? { apiGroup: rbac, ...subject } : subject);
  const { subjects } = object;
  return { ...object, ...(subjects && { subjects: subjects.map(withGroup) }), roleRef: { apiGroup: rbac, ...object.roleRef } };
}

/**
 * What is wrong with a role or a binding
 * (k8s.io/kubernetes/pkg/apis/rbac/validation/validation.go), in the order of 1.37.
 */
export function rbacFaults(kind: string, { rules, subjects, roleRef, aggregationRule }: Obj): Wrong[] {
  const namespaced = !kind.startsWith('Cluster');
  if (kind.endsWith('Binding')) {
    return [
      ...roleRefFaults(roleRef, namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']),
      ...(subjects ?? []).flatMap((subject: Obj, index: number) => subjectFaults(subject, `subjects[${index}]`, namespaced)),
    ];
  }
  const all: readonly Obj[] = rules ?? [];
  const selecting = !aggregationRule || aggregationRule.clusterRoleSelectors?.length > 0;
  return [
    ...all.flatMap((rule, index) => ruleFaults(rule, `rules[${index}]`, namespaced)),
    ...(selecting
      ? []
      : [required('aggregationRule.clusterRoleSelectors', 'at least one clusterRoleSelector required if aggregationRule is non-nil')]),
    // By rules that kube-apiserver goes through after all others.
    ...all.flatMap(({ verbs = [] }, index) => (verbs.length > 0 ? [] : [required(`rules[${index}].verbs`)])),
  ];
}

function ruleFaults(
  { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: Obj,
  field: string,
  namespaced: boolean,
): Wrong[] {
  const urls = (detail: string): Wrong => wrong(`${field}.nonResourceURLs`, nonResourceURLs, detail);
  if (nonResourceURLs.length > 0) {
    const both = [...apiGroups, ...resources, ...resourceNames].length > 0;
    return [
      ...(namespaced ? [urls('namespaced rules cannot apply to non-resource URLs')] : []),
      ...(both ? [urls('rules cannot apply to both regular resources and non-resource URLs')] : []),
    ];
  }
  return [
    ...(apiGroups.length > 0 ? [] : [required(`${field}.apiGroups`, 'resource rules must supply at least one api group')]),
    ...(resources.length > 0 ? [] : [required(`${field}.resources`, 'resource rules must supply at least one resource')]),
  ];
}

const roleRefFaults = ({ apiGroup, kind = '', name }: Obj, kinds: readonly string[]): Wrong[] => [
  ...(apiGroup === rbac ? [] : [unsupported('roleRef.apiGroup', apiGroup, [rbac])]),
  ...(kinds.includes(kind) ? [] : [unsupported('roleRef.kind', kind, kinds)]),
  ...(name ? [] : [required('roleRef.name')]),
];

function subjectFaults({ kind = '', apiGroup = '', name, namespace }: Obj, field: string, namespaced: boolean): Wrong[] {
  const supported = ['ServiceAccount', 'User', 'Group'];
  const group = kind === 'ServiceAccount' ? '' : rbac;
  return [
    ...(name ? [] : [required(`${field}.name`)]),
    ...(supported.includes(kind) ? [] : [unsupported(`${field}.kind`, kind, supported)]),
    ...(supported.includes(kind) && apiGroup !== group ? [unsupported(`${field}.apiGroup`, apiGroup, [group])] : []),
    // A RoleBinding has a namespace to look in; a ClusterRoleBinding has none.
    ...(kind === 'ServiceAccount' && !namespaced && !namespace ? [required(`${field}.namespace`)] : []),
  ];
}
