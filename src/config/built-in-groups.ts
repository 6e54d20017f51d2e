/**
 * The groups that kube-apiserver serves itself, in any supported version, so that it manages their
 * APIServices (k8s.io/kubernetes/cmd/kube-apiserver/app/aggregator.go, apiVersionPriorities;
 * pkg/controlplane/apiserver/aggregator.go, DefaultGenericAPIServicePriorities).
 * apiregistration.k8s.io is the group of the APIServices themselves. The documentation calls the
 * group without a name `core`.
 */
export const builtInGroups: ReadonlySet<string> = new Set([
  'core',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'lifecycle.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
]);
