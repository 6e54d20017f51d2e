/** Where a kind lives in the API. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  /** Plural, as in paths and RBAC rules. */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** One object, or where it will be. */
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

/** Every kind that apisvc reads, writes or names in a rule. */
export const resources = {
  APIService: resource('apiregistration.k8s.io/v1', 'APIService', 'apiservices', false),
  ClusterRole: resource('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', false),
  ClusterRoleBinding: resource('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', false),
  Deployment: resource('apps/v1', 'Deployment', 'deployments'),
  EndpointSlice: resource('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
  Namespace: resource('v1', 'Namespace', 'namespaces', false),
  PodDisruptionBudget: resource('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  Role: resource('rbac.authorization.k8s.io/v1', 'Role', 'roles'),
  RoleBinding: resource('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
  Secret: resource('v1', 'Secret', 'secrets'),
  SelfSubjectAccessReview: resource('authorization.k8s.io/v1', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews', false),
  Service: resource('v1', 'Service', 'services'),
  ServiceAccount: resource('v1', 'ServiceAccount', 'serviceaccounts'),
} as const;

/** The API group of a resource; empty for the core group, as in RBAC rules. */
export function apiGroup({ apiVersion }: Resource): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}

/** `apiservices.apiregistration.k8s.io`, or `secrets` in the core group: how kubectl names a resource. */
export function resourceName(of: Resource): string {
  const group = apiGroup(of);
  return group === '' ? of.plural : `${of.plural}.${group}`;
}

/** The URL path of a collection, or of one object in it. */
export function resourcePath(of: Resource, namespace?: string, name?: string): string {
  const root = of.apiVersion.includes('/') ? `/apis/${of.apiVersion}` : `/api/${of.apiVersion}`;
  const scope = of.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${of.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

/** `apiservice/v1alpha1.wardle.example.com` or `service/wardle/api`. */
export function describeRef({ resource: { kind }, namespace, name }: ObjectRef): string {
  return [kind.toLowerCase(), namespace, name].filter((part) => part !== undefined).join('/');
}
