import type { PolicyRule } from './authorization.ts';
import { kinds, rbacKind } from './kinds.ts';
import type { Kind, Obj } from './types.ts';

// The roles of k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy that users and
// extension API servers need, without those of Kubernetes' own components.

const rbac = 'rbac.authorization.k8s.io';
const read = ['get', 'list', 'watch'];
const write = ['create', 'delete', 'deletecollection', 'patch', 'update'];

/** @param resources - separated by spaces */
const rule = (verbs: readonly string[], group: string, resources: string): PolicyRule => ({
  apiGroups: [group],
  resources: resources.split(' '),
  verbs,
});
const paths = (verbs: readonly string[], urls: string): PolicyRule => ({ nonResourceURLs: urls.split(' '), verbs });

/** The kinds in namespaces, except those of RBAC and `others`; one rule for each group. */
function rulesFor(verbs: readonly string[], ...others: readonly string[]): readonly PolicyRule[] {
  const found = kinds.filter(({ namespaced, group, kind }) => namespaced && group !== rbac && !others.includes(kind));
  const pluralsOf = (group: string): string[] => found.filter((kind) => kind.group === group).map(({ plural }) => plural);
  return [...new Set(found.map(({ group }) => group))].map((group) => rule(verbs, group, pluralsOf(group).join(' ')));
}

/** Rules of ClusterRoles. */
const clusterRoles: Readonly<Record<string, readonly PolicyRule[]>> = {
  'cluster-admin': [rule(['*'], '*', '*'), paths(['*'], '*')],
  'system:auth-delegator': [
    rule(['create'], 'authentication.k8s.io', 'tokenreviews'),
    rule(['create'], 'authorization.k8s.io', 'subjectaccessreviews'),
  ],
  'system:basic-user': [
    rule(['create'], 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
    rule(['create'], 'authentication.k8s.io', 'selfsubjectreviews'),
  ],
  'system:discovery': [paths(['get'], '/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/')],
  'system:public-info-viewer': [paths(['get'], '/healthz /livez /readyz /version /version/')],
};

/** Rules of the aggregated ClusterRoles; each includes the one before. */
const userRoles: readonly (readonly [name: string, rules: readonly PolicyRule[], includedIn?: string])[] = [
  ['view', [...rulesFor(read, 'Secret', 'Lease'), rule(read, '', 'namespaces pods/log pods/status services/status')], 'edit'],
  [
    'edit',
    [
      ...rulesFor(write, 'EndpointSlice'),
      rule(read, '', 'secrets'),
      rule(read, 'coordination.k8s.io', 'leases'),
      rule(['create'], '', 'serviceaccounts/token'),
      rule(['impersonate'], '', 'serviceaccounts'),
    ],
    'admin',
  ],
  ['admin', [rule([...read, ...write], rbac, 'rolebindings roles')]],
];

/** Groups by the ClusterRole that they are bound to, which is also the name of the binding. */
const boundGroups: Readonly<Record<string, readonly string[]>> = {
  'cluster-admin': ['system:masters'],
  'system:basic-user': ['system:authenticated'],
  'system:discovery': ['system:authenticated'],
  'system:public-info-viewer': ['system:authenticated', 'system:unauthenticated'],
};

const reader = { name: 'extension-apiserver-authentication-reader', namespace: 'kube-system' };

interface BootstrapObject {
  readonly kind: Kind;
  readonly object: Obj;
}

function bootstrapObject(kind: string, { labels, ...metadata }: Obj, content: Obj): BootstrapObject {
  const all = { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels };
  return { kind: rbacKind(kind), object: { metadata: { ...metadata, labels: all }, ...content } };
}

const aggregateTo = (role: string): Obj => ({ [`rbac.authorization.k8s.io/aggregate-to-${role}`]: 'true' });

/** The roles and bindings of a new cluster. */
export const bootstrapRoles: readonly BootstrapObject[] = [
  ...Object.entries(clusterRoles).map(([name, rules]) => bootstrapObject('ClusterRole', { name }, { rules })),
  ...userRoles.flatMap(([name, rules, includedIn]) => [
    bootstrapObject('ClusterRole', { name: `system:aggregate-to-${name}`, labels: aggregateTo(name) }, { rules }),
    bootstrapObject(
      'ClusterRole',
      { name, labels: includedIn && aggregateTo(includedIn) },
      { aggregationRule: { clusterRoleSelectors: [{ matchLabels: aggregateTo(name) }] } },
    ),
  ]),
  ...Object.entries(boundGroups).map(([name, groups]) => {
    const subjects = groups.map((group) => ({ apiGroup: rbac, kind: 'Group', name: group }));
    return bootstrapObject('ClusterRoleBinding', { name }, { subjects, roleRef: { apiGroup: rbac, kind: 'ClusterRole', name } });
  }),
  bootstrapObject('Role', reader, {
    rules: [{ ...rule(read, '', 'configmaps'), resourceNames: ['extension-apiserver-authentication'] }],
  }),
];
