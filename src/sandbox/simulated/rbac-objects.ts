import { typed } from './go-types.ts';
import { required, type Wrong, wrong } from './names.ts';
import type { Obj } from './types.ts';

const rbac = 'rbac.authorization.k8s.io';

const types: Readonly<Record<string, string>> = {
  aggregationRule: 'v1.AggregationRule',
  roleRef: 'v1.RoleRef',
  rules: '[]v1.PolicyRule',
  subjects: '[]v1.Subject',
};

/**
 * Reads a role or a binding as Go does, and fills in the group of its role and, but for ServiceAccounts, of its subjects.
 * @param kind - ClusterRole, ClusterRoleBinding, Role or RoleBinding
 * @throws ApiFailure 400 as `typed`
 */
export function withRbacDefaults(kind: string, { ...object }: Obj): Obj {
  for (const [field, type] of Object.entries(types)) {
    if (object[field] !== undefined && object[field] !== null) object[field] = typed(kind, field, object[field], type);
  }
  if (!kind.endsWith('Binding')) return object;
  const withGroup = (subject: Obj): Obj => (['User', 'Group'].includes(subject.kind) ? { apiGroup: rbac, ...subject } : subject);
  const { subjects } = object;
  return { ...object, ...(subjects && { subjects: subjects.map(withGroup) }), roleRef: { apiGroup: rbac, ...object.roleRef } };
}

/** What is wrong with a role or a binding (k8s.io/kubernetes/pkg/apis/rbac/validation/validation.go), in the order of 1.37. */
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

const notOneOf = (field: string, value: string, supported: readonly string[]): Wrong => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((each) => JSON.stringify(each)).join(', ')}`,
  field,
});

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
  ...(apiGroup === rbac ? [] : [notOneOf('roleRef.apiGroup', apiGroup, [rbac])]),
  ...(kinds.includes(kind) ? [] : [notOneOf('roleRef.kind', kind, kinds)]),
  ...(name ? [] : [required('roleRef.name')]),
];

function subjectFaults({ kind = '', apiGroup = '', name, namespace }: Obj, field: string, namespaced: boolean): Wrong[] {
  const supported = ['ServiceAccount', 'User', 'Group'];
  const group = kind === 'ServiceAccount' ? '' : rbac;
  return [
    ...(name ? [] : [required(`${field}.name`)]),
    ...(supported.includes(kind) ? [] : [notOneOf(`${field}.kind`, kind, supported)]),
    ...(supported.includes(kind) && apiGroup !== group ? [notOneOf(`${field}.apiGroup`, apiGroup, [group])] : []),
    // A RoleBinding has a namespace to look in; a ClusterRoleBinding has none.
    ...(kind === 'ServiceAccount' && !namespaced && !namespace ? [required(`${field}.namespace`)] : []),
  ];
}
