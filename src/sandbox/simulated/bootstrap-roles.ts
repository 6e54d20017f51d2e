import type { PolicyRule } from './authorization.ts';
import { apiVersionOf, kindOf, kinds } from './kinds.ts';
import type { Kind, Obj } from './types.ts';

// The part of k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy that people and
// extension API servers meet, as kube-apiserver prints it. What is for Kubernetes' own controllers
// and for nodes is left out, and view, edit and admin are about the kinds that are kept here. It is
// the same in 1.35 and 1.37.

const rbacGroup = 'rbac.authorization.k8s.io';
const read = ['get', 'list', 'watch'];
const write = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const readWrite = [...write, ...read].sort();

/** @param groups - split by `|`; empty for the core group @param resources - split by spaces */
const rule = (verbs: readonly string[], groups: string, resources: string): PolicyRule => ({
  apiGroups: groups.split('|'),
  resources: resources.split(' '),
  verbs,
});
const paths = (verbs: readonly string[], urls: string): PolicyRule => ({ nonResourceURLs: urls.split(' '), verbs });

/** What is in namespaces and in the hands of those who work there, but for some kinds. */
const allBut = (...others: readonly string[]): readonly Kind[] =>
  kinds.filter(({ namespaced, group, kind }) => namespaced && group !== rbacGroup && !others.includes(kind));
/** One rule for each group. */
const rulesFor = (verbs: readonly string[], of: readonly Kind[]): readonly PolicyRule[] =>
  [...new Set(of.map(({ group }) => group))].map((group) => {
    const plurals = of.filter((kind) => kind.group === group).map(({ plural }) => plural);
    return rule(verbs, group, plurals.join(' '));
  });

const viewRules = [...rulesFor(read, allBut('Secret', 'Lease')), rule(read, '', 'namespaces pods/log pods/status services/status')];
const editRules = [
  ...rulesFor(write, allBut('Endpoints', 'EndpointSlice', 'LimitRange', 'ResourceQuota')),
  rule(read, '', 'secrets'),
  rule(read, 'coordination.k8s.io', 'leases'),
  rule(readWrite, '', 'pods/portforward pods/proxy services/proxy'),
  rule(['create'], '', 'serviceaccounts/token'),
  rule(['impersonate'], '', 'serviceaccounts'),
];
const adminRules = [rule(readWrite, rbacGroup, 'rolebindings roles')];

const reader = 'extension-apiserver-authentication-reader';

/** Rules of ClusterRoles by their names. */
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
  'system:kube-aggregator': [rule(read, '', 'endpoints services')],
  'system:public-info-viewer': [paths(['get'], '/healthz /livez /readyz /version /version/')],
  'system:service-account-issuer-discovery': [
    paths(['get'], '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/'),
  ],
};

/** The label by which a ClusterRole becomes part of another. */
const aggregateTo = (role: string): string => `rbac.authorization.k8s.io/aggregate-to-${role}`;

/** Groups that ClusterRoles are bound to, by their names, which are those of their bindings too. */
const bound: Readonly<Record<string, readonly string[]>> = {
  'cluster-admin': ['system:masters'],
  'system:basic-user': ['system:authenticated'],
  'system:discovery': ['system:authenticated'],
  'system:public-info-viewer': ['system:authenticated', 'system:unauthenticated'],
  'system:service-account-issuer-discovery': ['system:serviceaccounts'],
};

const rbac = (kind: string): Kind => kindOf(rbacGroup, kind) as Kind;

/** Of the group rbac.authorization.k8s.io. */
function made(kind: string, metadata: Obj, rest: Obj): { readonly kind: Kind; readonly object: Obj } {
  const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...metadata.labels };
  const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };
  return {
    kind: rbac(kind),
    object: { kind, apiVersion: apiVersionOf(rbac(kind)), metadata: { ...metadata, labels, annotations }, ...rest },
  };
}

const reference = (kind: string, name: string) => ({ apiGroup: rbacGroup, kind, name });
const everyStep: readonly (readonly [role: string, rules: readonly PolicyRule[], partOf?: string])[] = [
  ['view', viewRules, 'edit'],
  ['edit', editRules, 'admin'],
  ['admin', adminRules],
];

/**
 * Roles and bindings that every cluster begins with, each after those that it refers to. The rules
 * of an aggregated ClusterRole are left to who reads it.
 */
export const bootstrapRoles: readonly { readonly kind: Kind; readonly object: Obj }[] = [
  ...Object.entries(clusterRoles).map(([name, rules]) => made('ClusterRole', { name }, { rules })),
  ...everyStep.flatMap(([name, rules, partOf]) => [
    made('ClusterRole', { name: `system:aggregate-to-${name}`, labels: { [aggregateTo(name)]: 'true' } }, { rules }),
    made('ClusterRole', { name, ...(partOf && { labels: { [aggregateTo(partOf)]: 'true' } }) }, aggregated(name)),
  ]),
  ...Object.entries(bound).map(([name, groups]) => {
    const subjects = groups.map((group) => reference('Group', group));
    return made('ClusterRoleBinding', { name }, { subjects, roleRef: reference('ClusterRole', name) });
  }),
  made(
    'Role',
    { name: reader, namespace: 'kube-system' },
    {
      rules: [{ ...rule(read, '', 'configmaps'), resourceNames: ['extension-apiserver-authentication'] }],
    },
  ),
  made(
    'RoleBinding',
    { name: `system::${reader}`, namespace: 'kube-system' },
    {
      subjects: ['system:kube-controller-manager', 'system:kube-scheduler'].map((user) => reference('User', user)),
      roleRef: reference('Role', reader),
    },
  ),
];

function aggregated(name: string): Obj {
  return { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregateTo(name)]: 'true' } }] } };
}
