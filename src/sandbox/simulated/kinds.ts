import type { Kind } from './types.ts';

type Extra = Partial<Omit<Kind, 'group' | 'version' | 'kind' | 'plural' | 'namespaced'>>;

const make =
  (namespaced: boolean) =>
  (group: string, version: string, kind: string, plural: string, extra: Extra = {}): Kind =>
    Object.assign({ group, version, kind, plural, namespaced }, extra);
const inNamespaces = make(true);
const inCluster = make(false);

const workload = { categories: ['all'], status: true, generation: true };
const policy = { categories: ['api-extensions'], listedOnly: true };
const flow = { status: true, listedOnly: true };

const rbac = 'rbac.authorization.k8s.io';
const admission = 'admissionregistration.k8s.io';
const flowControl = 'flowcontrol.apiserver.k8s.io';

/** The kinds that are stored, in one version each, with the short names and categories of 1.37. */
export const kinds: readonly Kind[] = [
  inNamespaces('', 'v1', 'ConfigMap', 'configmaps', { shortNames: ['cm'] }),
  inNamespaces('', 'v1', 'Event', 'events', { shortNames: ['ev'] }),
  inCluster('', 'v1', 'Namespace', 'namespaces', { shortNames: ['ns'], status: true }),
  inCluster('', 'v1', 'Node', 'nodes', { shortNames: ['no'], status: true }),
  inNamespaces('', 'v1', 'Pod', 'pods', { ...workload, shortNames: ['po'] }),
  inNamespaces('', 'v1', 'Secret', 'secrets'),
  inNamespaces('', 'v1', 'ServiceAccount', 'serviceaccounts', { shortNames: ['sa'] }),
  inNamespaces('', 'v1', 'Service', 'services', { shortNames: ['svc'], categories: ['all'], status: true }),
  inNamespaces('apps', 'v1', 'Deployment', 'deployments', { ...workload, shortNames: ['deploy'] }),
  inNamespaces('apps', 'v1', 'ReplicaSet', 'replicasets', { ...workload, shortNames: ['rs'] }),
  inNamespaces('events.k8s.io', 'v1', 'Event', 'events', { shortNames: ['ev'] }),
  inNamespaces('discovery.k8s.io', 'v1', 'EndpointSlice', 'endpointslices', { generation: true }),
  inNamespaces('networking.k8s.io', 'v1', 'NetworkPolicy', 'networkpolicies', { shortNames: ['netpol'], generation: true }),
  inNamespaces('policy', 'v1', 'PodDisruptionBudget', 'poddisruptionbudgets', { shortNames: ['pdb'], status: true, generation: true }),
  inNamespaces('coordination.k8s.io', 'v1', 'Lease', 'leases'),
  inCluster(rbac, 'v1', 'ClusterRoleBinding', 'clusterrolebindings'),
  inCluster(rbac, 'v1', 'ClusterRole', 'clusterroles'),
  inNamespaces(rbac, 'v1', 'RoleBinding', 'rolebindings'),
  inNamespaces(rbac, 'v1', 'Role', 'roles'),
  inCluster('apiregistration.k8s.io', 'v1', 'APIService', 'apiservices', { categories: ['api-extensions'], status: true }),
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

/** Kinds that are answered and never stored. */
export const reviewKinds: readonly Kind[] = [
  inCluster('authentication.k8s.io', 'v1', 'SelfSubjectReview', 'selfsubjectreviews'),
  inCluster('authentication.k8s.io', 'v1', 'TokenReview', 'tokenreviews'),
  inNamespaces('authorization.k8s.io', 'v1', 'LocalSubjectAccessReview', 'localsubjectaccessreviews'),
  inCluster('authorization.k8s.io', 'v1', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews'),
  inCluster('authorization.k8s.io', 'v1', 'SelfSubjectRulesReview', 'selfsubjectrulesreviews'),
  inCluster('authorization.k8s.io', 'v1', 'SubjectAccessReview', 'subjectaccessreviews'),
];

const byPlural = new Map(kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind]));
const byKind = new Map(kinds.map((kind) => [`${kind.group}/${kind.kind}`, kind]));

/** The kind that a path names, if it is stored. @param group - empty for the core group */
export const kindAt = (group: string, version: string, plural: string): Kind | undefined => byPlural.get(`${group}/${version}/${plural}`);

/** The kind of this name. @throws Error when it is not stored */
export function kindOf(group: string, kind: string): Kind {
  const found = byKind.get(`${group}/${kind}`);
  if (!found) throw new Error(`the simulation does not store ${kind}.${group}`);
  return found;
}

export const coreKind = (kind: string): Kind => kindOf('', kind);
export const rbacKind = (kind: string): Kind => kindOf(rbac, kind);

/** `v1`, or `apps/v1`. */
export const apiVersionOf = ({ group, version }: Pick<Kind, 'group' | 'version'>): string =>
  group === '' ? version : `${group}/${version}`;
