import { apiGroup, type Resource, resources, ruleName, subresources } from '../cluster/resources.ts';

/** What `verify` may read, and what for. */
export interface ReadPermission {
  readonly resources: readonly Resource[];
  readonly verbs: readonly string[];
  /** A verb phrase, for docs/permissions.md. */
  readonly usedFor: string;
  /** Why a monitor in the cluster goes without it. */
  readonly notForMonitor?: string;
}

/** A permission for paths that are no resources. */
interface PathPermission {
  readonly paths: readonly string[];
  readonly usedFor: string;
}

const { APIService, CustomResourceDefinition, Service, EndpointSlice, Namespace, Pod, Event, Lease } = resources;
const { Certificate, CertificateRequest, Issuer, ClusterIssuer, ConfigMap, Secret, SubjectAccessReview, User } = resources;
const { podLog, podPortForward, serviceProxy } = subresources;

/**
 * The permissions that `verify` uses. All are optional. docs/permissions.md lists them, and the
 * role of a monitor grants them.
 */
export const verifyPermissions: readonly ReadPermission[] = [
  {
    resources: [APIService, CustomResourceDefinition],
    verbs: ['get', 'list'],
    usedFor: 'read the registration, and find objects that hide it',
  },
  { resources: [Service, EndpointSlice], verbs: ['get', 'list'], usedFor: 'check the request path' },
  { resources: [Namespace], verbs: ['get'], usedFor: 'check whether the namespace is being deleted' },
  { resources: [Pod, Event], verbs: ['list'], usedFor: 'find pods that are not ready' },
  {
    resources: [podLog],
    verbs: ['get'],
    usedFor: 'read the log of a server that crashes, or of an adapter without metrics',
    notForMonitor: 'Anyone who can reach the monitor could read the logs',
  },
  {
    resources: [podPortForward],
    verbs: ['get', 'create'],
    usedFor: 'read the certificate that each pod serves',
    notForMonitor: 'The monitor connects to the IP addresses of the pods',
  },
  { resources: [Lease], verbs: ['get', 'list'], usedFor: 'check whether a rotation is in progress' },
  {
    resources: [serviceProxy],
    verbs: ['get'],
    usedFor: 'send the same request without the aggregation layer',
    notForMonitor: 'The monitor could send requests to every Service',
  },
  {
    resources: [Secret],
    verbs: ['get'],
    usedFor: "read the certificate in the server's Secret",
    notForMonitor: 'The monitor could read every Secret',
  },
  { resources: [SubjectAccessReview], verbs: ['create'], usedFor: 'check whether the server may delegate authentication' },
  { resources: [Certificate, Issuer, ClusterIssuer], verbs: ['get'], usedFor: 'check what cert-manager issues and injects' },
  { resources: [CertificateRequest], verbs: ['list'], usedFor: 'find out why a Certificate is not ready' },
];

/** In one namespace. */
export const authenticationConfig = {
  resource: ConfigMap,
  namespace: 'kube-system',
  name: 'extension-apiserver-authentication',
  usedFor: "read kube-apiserver's client CA",
} as const;

export const pathPermission: PathPermission = {
  paths: ['/apis', '/apis/*', '/openapi/*'],
  usedFor: 'send requests through kube-apiserver',
};

/** Only `--as-user` needs it. */
export const asUserPermission: ReadPermission = {
  resources: [User],
  verbs: ['impersonate'],
  usedFor: 'send requests as the user of `--as-user`',
};

/** An RBAC rule (k8s.io/api/rbac/v1/types.go, PolicyRule). */
export interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

/**
 * The rules of a monitor's ClusterRole: what `verify` reads, as far as a monitor may, and the
 * watches.
 * @param watched the resources that it watches
 */
export function monitorRules(watched: readonly Resource[]): readonly PolicyRule[] {
  const granted = verifyPermissions.filter(({ notForMonitor }) => notForMonitor === undefined);
  const rules = granted.flatMap(({ resources: each, verbs }) =>
    each.map((resource) => ({
      apiGroups: [apiGroup(resource)],
      resources: [ruleName(resource)],
      verbs: watched.includes(resource) ? [...verbs, 'watch'] : verbs,
    })),
  );
  return [...joined(rules), { nonResourceURLs: pathPermission.paths, verbs: ['get'] }];
}

interface ResourceRule extends PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
}

/** One rule for the resources of a group with the same verbs. */
function joined(rules: readonly ResourceRule[]): readonly ResourceRule[] {
  const byKey = new Map<string, ResourceRule>();
  for (const rule of rules) {
    const key = JSON.stringify([rule.apiGroups, rule.verbs]);
    const known = byKey.get(key);
    byKey.set(key, known ? { ...known, resources: [...known.resources, ...rule.resources] } : rule);
  }
  return [...byKey.values()];
}
