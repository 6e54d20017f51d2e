import type { PolicyRule } from './authorization.ts';
import { apiVersionOf, kindOf } from './kinds.ts';
import type { Kind, Obj } from './types.ts';

// The part of k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy that people and extension API servers meet, as kube-apiserver prints it. What
// is for Kubernetes' own controllers and for nodes is left out. It is the same in 1.35 and 1.37.

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

const viewRules = [
  rule(
    read,
    '',
    'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
  ),
  rule(
    read,
    '',
    'bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
  ),
  rule(read, '', 'namespaces'),
  rule(read, '|events.k8s.io', 'events'),
  rule(read, 'discovery.k8s.io', 'endpointslices'),
  rule(
    read,
    'apps',
    'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status',
  ),
  rule(read, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
  rule(read, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
  rule(
    read,
    'extensions',
    'daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale',
  ),
  rule(read, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
  rule(read, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
  rule(read, 'resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates'),
];

const editRules = [
  rule(read, '', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
  rule(['impersonate'], '', 'serviceaccounts'),
  rule(write, '', 'pods pods/attach pods/exec pods/portforward pods/proxy'),
  rule(['create'], '', 'pods/eviction'),
  rule(
    write,
    '',
    'configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
  ),
  rule(['create'], '', 'serviceaccounts/token'),
  rule(write, '|events.k8s.io', 'events'),
  rule(
    write,
    'apps',
    'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
  ),
  rule(write, 'autoscaling', 'horizontalpodautoscalers'),
  rule(write, 'batch', 'cronjobs jobs'),
  rule(
    write,
    'extensions',
    'daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale',
  ),
  rule(write, 'policy', 'poddisruptionbudgets'),
  rule(write, 'networking.k8s.io', 'ingresses networkpolicies'),
  rule(readWrite, 'coordination.k8s.io', 'leases'),
  rule(write, 'resource.k8s.io', 'resourceclaims resourceclaimtemplates'),
];

const adminRules = [
  rule(['create'], 'authorization.k8s.io', 'localsubjectaccessreviews'),
  rule(readWrite, 'rbac.authorization.k8s.io', 'rolebindings roles'),
];

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

const rbac = (kind: string): Kind => kindOf('rbac.authorization.k8s.io', kind) as Kind;

/** Of the group rbac.authorization.k8s.io. */
function made(kind: string, metadata: Obj, rest: Obj): { readonly kind: Kind; readonly object: Obj } {
  const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...metadata.labels };
  const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };
  return {
    kind: rbac(kind),
    object: { kind, apiVersion: apiVersionOf(rbac(kind)), metadata: { ...metadata, labels, annotations }, ...rest },
  };
}

const reference = (kind: string, name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
const everyStep: readonly (readonly [role: string, rules: readonly PolicyRule[], partOf?: string])[] = [
  ['view', viewRules, 'edit'],
  ['edit', editRules, 'admin'],
  ['admin', adminRules],
];

/** Roles and bindings that every cluster begins with, each after those that it refers to. The rules of an aggregated ClusterRole are left to who reads it. */
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
