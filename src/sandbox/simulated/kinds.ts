import type { Kind } from './types.ts';

type Extra = Partial<Omit<Kind, 'group' | 'version' | 'kind' | 'plural' | 'namespaced'>>;

const make =
  (namespaced: boolean) =>
  (group: string, version: string, kind: string, plural: string, extra?: Extra): Kind => ({
    group,
    version,
    kind,
    plural,
    namespaced,
    ...extra,
  });
const inNamespaces = make(true);
const inCluster = make(false);

const all = ['all'];
const extensions = ['api-extensions'];
const proxyVerbs = ['create', 'delete', 'get', 'patch', 'update'];
const scale = { name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: ['get', 'patch', 'update'] };
const workload = { categories: all, status: true, generation: true };
const policy = { categories: extensions, listedOnly: true };
const flow = { status: true, listedOnly: true };

const rbac = 'rbac.authorization.k8s.io';
const admission = 'admissionregistration.k8s.io';
const flowControl = 'flowcontrol.apiserver.k8s.io';

/**
 * Every kind of object that is kept, in one version each. Short names, categories, subresources and
 * generations as Kubernetes 1.37 has them.
 */
export const kinds: readonly Kind[] = [
  inNamespaces('', 'v1', 'ConfigMap', 'configmaps', { shortNames: ['cm'], fields: ['data', 'binaryData', 'immutable'] }),
  inNamespaces('', 'v1', 'Endpoints', 'endpoints', { shortNames: ['ep'], fields: ['subsets'] }),
  inNamespaces('', 'v1', 'Event', 'events', {
    shortNames: ['ev'],
    fields: eventFields('involvedObject', 'source', 'firstTimestamp', 'lastTimestamp', 'count', 'message'),
  }),
  inNamespaces('', 'v1', 'LimitRange', 'limitranges', { shortNames: ['limits'], fields: ['spec'] }),
  inCluster('', 'v1', 'Namespace', 'namespaces', { shortNames: ['ns'], status: true }),
  inCluster('', 'v1', 'Node', 'nodes', { shortNames: ['no'], status: true }),
  inNamespaces('', 'v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', { shortNames: ['pvc'], status: true, listedOnly: true }),
  inNamespaces('', 'v1', 'Pod', 'pods', {
    ...workload,
    shortNames: ['po'],
    subresources: [
      { name: 'log', kind: 'Pod', verbs: ['get'] },
      { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
      { name: 'proxy', kind: 'PodProxyOptions', verbs: proxyVerbs },
    ],
  }),
  inNamespaces('', 'v1', 'ReplicationController', 'replicationcontrollers', { ...workload, shortNames: ['rc'], listedOnly: true }),
  inNamespaces('', 'v1', 'ResourceQuota', 'resourcequotas', { shortNames: ['quota'], status: true, listedOnly: true }),
  inNamespaces('', 'v1', 'Secret', 'secrets', { fields: ['data', 'stringData', 'type', 'immutable'] }),
  inNamespaces('', 'v1', 'ServiceAccount', 'serviceaccounts', {
    shortNames: ['sa'],
    fields: ['secrets', 'imagePullSecrets', 'automountServiceAccountToken'],
    subresources: [{ name: 'token', group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', verbs: ['create'] }],
  }),
  inNamespaces('', 'v1', 'Service', 'services', {
    shortNames: ['svc'],
    categories: all,
    status: true,
    subresources: [{ name: 'proxy', kind: 'ServiceProxyOptions', verbs: proxyVerbs }],
  }),
  inNamespaces('apps', 'v1', 'DaemonSet', 'daemonsets', { ...workload, shortNames: ['ds'], listedOnly: true }),
  inNamespaces('apps', 'v1', 'Deployment', 'deployments', { ...workload, shortNames: ['deploy'], subresources: [scale] }),
  inNamespaces('apps', 'v1', 'ReplicaSet', 'replicasets', { ...workload, shortNames: ['rs'], subresources: [scale] }),
  inNamespaces('apps', 'v1', 'StatefulSet', 'statefulsets', { ...workload, shortNames: ['sts'], listedOnly: true }),
  inNamespaces('batch', 'v1', 'CronJob', 'cronjobs', { ...workload, shortNames: ['cj'], listedOnly: true }),
  inNamespaces('batch', 'v1', 'Job', 'jobs', { ...workload, listedOnly: true }),
  inNamespaces('autoscaling', 'v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', { ...workload, shortNames: ['hpa'] }),
  inNamespaces('events.k8s.io', 'v1', 'Event', 'events', { shortNames: ['ev'], fields: eventFields('regarding', 'note') }),
  inNamespaces('discovery.k8s.io', 'v1', 'EndpointSlice', 'endpointslices', {
    fields: ['addressType', 'endpoints', 'ports'],
    generation: true,
  }),
  inNamespaces('networking.k8s.io', 'v1', 'NetworkPolicy', 'networkpolicies', {
    shortNames: ['netpol'],
    fields: ['spec'],
    generation: true,
  }),
  inNamespaces('policy', 'v1', 'PodDisruptionBudget', 'poddisruptionbudgets', { shortNames: ['pdb'], status: true, generation: true }),
  inNamespaces('coordination.k8s.io', 'v1', 'Lease', 'leases', { fields: ['spec'] }),
  inCluster(rbac, 'v1', 'ClusterRoleBinding', 'clusterrolebindings', { fields: ['subjects', 'roleRef'] }),
  inCluster(rbac, 'v1', 'ClusterRole', 'clusterroles', { fields: ['rules', 'aggregationRule'] }),
  inNamespaces(rbac, 'v1', 'RoleBinding', 'rolebindings', { fields: ['subjects', 'roleRef'] }),
  inNamespaces(rbac, 'v1', 'Role', 'roles', { fields: ['rules'] }),
  inCluster('apiregistration.k8s.io', 'v1', 'APIService', 'apiservices', { categories: extensions, status: true }),
  inCluster('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition', 'customresourcedefinitions', {
    ...policy,
    shortNames: ['crd', 'crds'],
    status: true,
  }),
  inCluster(admission, 'v1', 'MutatingAdmissionPolicy', 'mutatingadmissionpolicies', policy),
  inCluster(admission, 'v1', 'MutatingAdmissionPolicyBinding', 'mutatingadmissionpolicybindings', policy),
  inCluster(admission, 'v1', 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', policy),
  inCluster(admission, 'v1', 'ValidatingAdmissionPolicy', 'validatingadmissionpolicies', { ...policy, status: true }),
  inCluster(admission, 'v1', 'ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings', policy),
  inCluster(admission, 'v1', 'ValidatingWebhookConfiguration', 'validatingwebhookconfigurations', policy),
  inCluster(flowControl, 'v1', 'FlowSchema', 'flowschemas', flow),
  inCluster(flowControl, 'v1', 'PriorityLevelConfiguration', 'prioritylevelconfigurations', flow),
];

/** Kinds whose objects are questions: they are answered, never kept. For discovery. */
export const questions: readonly Kind[] = [
  inCluster('authentication.k8s.io', 'v1', 'SelfSubjectReview', 'selfsubjectreviews'),
  inCluster('authentication.k8s.io', 'v1', 'TokenReview', 'tokenreviews'),
  inNamespaces('authorization.k8s.io', 'v1', 'LocalSubjectAccessReview', 'localsubjectaccessreviews'),
  inCluster('authorization.k8s.io', 'v1', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews'),
  inCluster('authorization.k8s.io', 'v1', 'SelfSubjectRulesReview', 'selfsubjectrulesreviews'),
  inCluster('authorization.k8s.io', 'v1', 'SubjectAccessReview', 'subjectaccessreviews'),
];

function eventFields(...own: string[]): readonly string[] {
  const common = [
    'reason',
    'type',
    'eventTime',
    'series',
    'action',
    'related',
    'reportingController',
    'reportingComponent',
    'reportingInstance',
  ];
  return [...own, ...common, 'deprecatedSource', 'deprecatedFirstTimestamp', 'deprecatedLastTimestamp', 'deprecatedCount'];
}

const byPlural = new Map(kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind]));
const byKind = new Map(kinds.map((kind) => [`${kind.group}/${kind.kind}`, kind]));

/**
 * The kind that a path names; undefined for what is not kept here.
 * @param group - empty for the core group
 */
export const kindAt = (group: string, version: string, plural: string): Kind | undefined => byPlural.get(`${group}/${version}/${plural}`);

/** The kind of this name, in the one version that is kept. */
export const kindOf = (group: string, kind: string): Kind | undefined => byKind.get(`${group}/${kind}`);

/** `v1`, or `apps/v1`. */
export const apiVersionOf = ({ group, version }: Pick<Kind, 'group' | 'version'>): string =>
  group === '' ? version : `${group}/${version}`;
