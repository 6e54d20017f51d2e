import type { Authority } from '../../../src/pki/types.ts';

/** Where a server listens, and the CA that issued its serving certificate. */
export interface WardleServer {
  readonly namespace: string;
  readonly address: string;
  readonly port: number;
  readonly authority: Pick<Authority, 'certificates'>;
}

const list = (...items: object[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });

/**
 * The namespace, ServiceAccount and RBAC objects that sample-apiserver needs, written without
 * apisvc (k8s.io/sample-apiserver, artifacts/example). The result is JSON for `kubectl apply -f -`.
 */
export function wardleAccess(namespace: string): string {
  const rbac = (kind: string, name: string, rest: object) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { name },
    ...rest,
  });
  const roleRef = (kind: string, name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
  const subjects = [{ kind: 'ServiceAccount', name: 'apiserver', namespace }];
  const read = (apiGroup: string, ...resources: string[]) => ({ apiGroups: [apiGroup], resources, verbs: ['get', 'list', 'watch'] });
  const reader = rbac('RoleBinding', `${namespace}:auth-reader`, {
    roleRef: roleRef('Role', 'extension-apiserver-authentication-reader'),
    subjects,
  });
  return list(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'apiserver', namespace } },
    rbac('ClusterRoleBinding', `${namespace}:auth-delegator`, { roleRef: roleRef('ClusterRole', 'system:auth-delegator'), subjects }),
    { ...reader, metadata: { ...reader.metadata, namespace: 'kube-system' } },
    rbac('ClusterRole', `${namespace}:apiserver`, {
      rules: [
        read('', 'namespaces'),
        read(
          'admissionregistration.k8s.io',
          'mutatingadmissionpolicies',
          'mutatingadmissionpolicybindings',
          'mutatingwebhookconfigurations',
          'validatingadmissionpolicies',
          'validatingadmissionpolicybindings',
          'validatingwebhookconfigurations',
        ),
        read('flowcontrol.apiserver.k8s.io', 'flowschemas', 'prioritylevelconfigurations'),
      ],
    }),
    rbac('ClusterRoleBinding', `${namespace}:apiserver`, { roleRef: roleRef('ClusterRole', `${namespace}:apiserver`), subjects }),
  );
}

/**
 * A registration written without apisvc: a Service without a selector, its EndpointSlice, and the
 * APIService. The result is JSON for `kubectl apply -f -`.
 */
export function wardleRegistration({ namespace, address, port, authority }: WardleServer): string {
  return list(
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'api', namespace }, spec: { ports: [{ port: 443, targetPort: port }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'api', namespace, labels: { 'kubernetes.io/service-name': 'api' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: '', port, protocol: 'TCP' }],
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1alpha1.wardle.example.com' },
      spec: {
        group: 'wardle.example.com',
        version: 'v1alpha1',
        groupPriorityMinimum: 1000,
        versionPriority: 15,
        service: { name: 'api', namespace, port: 443 },
        caBundle: Buffer.from(authority.certificates).toString('base64'),
      },
    },
  );
}
