/** A resource of the Kubernetes API. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  /** Plural, as in paths and RBAC rules. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** For example `log` or `portforward` of a Pod. */
  readonly subresource?: string;
}

/** The name of an object, which may not exist yet. */
export interface ObjectRef {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string;
}

const resource = (apiVersion: string, kind: string, plural: string, namespaced = true): Resource => ({
  apiVersion,
  kind,
  plural,
  namespaced,
});

/**
 * Every kind that apisvc reads, writes or names in an RBAC rule. Only rules know `User`, for
 * impersonation, and `Signer`, for approval.
 */
export const resources = {
  APIService: resource('apiregistration.k8s.io/v1', 'APIService', 'apiservices', false),
  Certificate: resource('cert-manager.io/v1', 'Certificate', 'certificates'),
  CertificateRequest: resource('cert-manager.io/v1', 'CertificateRequest', 'certificaterequests'),
  CertificateSigningRequest: resource('certificates.k8s.io/v1', 'CertificateSigningRequest', 'certificatesigningrequests', false),
  ClusterIssuer: resource('cert-manager.io/v1', 'ClusterIssuer', 'clusterissuers', false),
  ClusterRole: resource('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', false),
  ClusterRoleBinding: resource('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', false),
  ClusterTrustBundle: resource('certificates.k8s.io/v1', 'ClusterTrustBundle', 'clustertrustbundles', false),
  ConfigMap: resource('v1', 'ConfigMap', 'configmaps'),
  CustomResourceDefinition: resource('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', false),
  Deployment: resource('apps/v1', 'Deployment', 'deployments'),
  EndpointSlice: resource('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
  Event: resource('v1', 'Event', 'events'),
  Issuer: resource('cert-manager.io/v1', 'Issuer', 'issuers'),
  Lease: resource('coordination.k8s.io/v1', 'Lease', 'leases'),
  MutatingWebhookConfiguration: resource(
    'admissionregistration.k8s.io/v1',
    'MutatingWebhookConfiguration',
    'mutatingwebhookconfigurations',
    false,
  ),
  Namespace: resource('v1', 'Namespace', 'namespaces', false),
  NetworkPolicy: resource('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  Pod: resource('v1', 'Pod', 'pods'),
  PodDisruptionBudget: resource('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  ReplicaSet: resource('apps/v1', 'ReplicaSet', 'replicasets'),
  Role: resource('rbac.authorization.k8s.io/v1', 'Role', 'roles'),
  RoleBinding: resource('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
  Secret: resource('v1', 'Secret', 'secrets'),
  SelfSubjectAccessReview: resource('authorization.k8s.io/v1', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews', false),
  SelfSubjectReview: resource('authentication.k8s.io/v1', 'SelfSubjectReview', 'selfsubjectreviews', false),
  Signer: resource('certificates.k8s.io/v1', 'Signer', 'signers', false),
  Service: resource('v1', 'Service', 'services'),
  ServiceAccount: resource('v1', 'ServiceAccount', 'serviceaccounts'),
  SubjectAccessReview: resource('authorization.k8s.io/v1', 'SubjectAccessReview', 'subjectaccessreviews', false),
  TokenReview: resource('authentication.k8s.io/v1', 'TokenReview', 'tokenreviews', false),
  User: resource('v1', 'User', 'users', false),
  ValidatingWebhookConfiguration: resource(
    'admissionregistration.k8s.io/v1',
    'ValidatingWebhookConfiguration',
    'validatingwebhookconfigurations',
    false,
  ),
} as const;

/** Subresources. Each needs its own permission. */
export const subresources = {
  certificateStatus: { ...resources.Certificate, subresource: 'status' },
  csrApproval: { ...resources.CertificateSigningRequest, subresource: 'approval' },
  podLog: { ...resources.Pod, subresource: 'log' },
  podPortForward: { ...resources.Pod, subresource: 'portforward' },
  podProxy: { ...resources.Pod, subresource: 'proxy' },
  serviceProxy: { ...resources.Service, subresource: 'proxy' },
} as const satisfies Record<string, Resource>;

/** The API group of a resource; empty for the core group, as in RBAC rules. */
export function apiGroup({ apiVersion }: Resource): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}

/**
 * `pods` or `pods/portforward`, as RBAC rules name a resource (k8s.io/api/rbac/v1/types.go,
 * PolicyRule).
 */
export const ruleName = ({ plural, subresource }: Resource): string => (subresource === undefined ? plural : `${plural}/${subresource}`);

/** `apiservices.apiregistration.k8s.io`, or `secrets` in the core group, as kubectl prints it. */
export function resourceName(of: Resource): string {
  const group = apiGroup(of);
  return group === '' ? ruleName(of) : `${ruleName(of)}.${group}`;
}

/** The URL path of a collection, an object or a subresource. */
export function resourcePath(of: Resource, namespace?: string, name?: string): string {
  const root = of.apiVersion.includes('/') ? `/apis/${of.apiVersion}` : `/api/${of.apiVersion}`;
  const scope = of.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const object = [name, of.subresource].filter((part) => part !== undefined).map((part) => `/${encodeURIComponent(part)}`);
  return `${root}${scope}/${of.plural}${object.join('')}`;
}

/** `namespace/name`, for messages and annotations. */
export const namespacedName = ({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): string => `${namespace}/${name}`;

/**
 * Where a ClusterIssuer has its Secrets, unless the flag --cluster-resource-namespace of
 * cert-manager says otherwise.
 */
export const clusterIssuerNamespace = 'cert-manager';

/**
 * `apiservice/v1alpha1.wardle.example.com`, `service/wardle/api` or `pod/wardle/api-0/portforward`;
 * for a collection, as in messages of kubectl, `pods in namespace "wardle"`.
 */
export function describeRef({ resource, namespace, name }: ObjectRef): string {
  const { kind, subresource } = resource;
  if (name === '*') return `${resourceName(resource)}${namespace === undefined ? '' : ` in namespace "${namespace}"`}`;
  return [kind.toLowerCase(), namespace, name, subresource].filter((part) => part !== undefined).join('/');
}
