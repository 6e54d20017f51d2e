import type { KubeObject } from '../../../../src/manifests/types.ts';
import { offlineSnapshot } from '../../../../src/snapshot/offline/snapshot.ts';
import type { ApiSnapshot } from '../../../../src/snapshot/types.ts';

/** Manifests of a server that is registered as v1.example.com, and its snapshot. */

export const now = new Date('2026-06-15T12:00:00Z');
export const namespace = 'wardle';
export const host = 'api.wardle.svc';

type Fields = Readonly<Record<string, unknown>>;

export const object = (apiVersion: string, kind: string, metadata: Fields, more: Fields = {}): object => ({
  apiVersion,
  kind,
  metadata,
  ...more,
});
export const apiService = (spec: Fields = {}, metadata: Fields = {}): object =>
  object(
    'apiregistration.k8s.io/v1',
    'APIService',
    { name: 'v1.example.com', ...metadata },
    {
      spec: {
        group: 'example.com',
        version: 'v1',
        service: { name: 'api', namespace },
        groupPriorityMinimum: 1000,
        versionPriority: 15,
        ...spec,
      },
    },
  );
export const service = (spec: Fields = {}, metadata: Fields = {}): object =>
  object(
    'v1',
    'Service',
    { name: 'api', namespace, ...metadata },
    { spec: { selector: { app: 'api' }, ports: [{ port: 443, targetPort: 8443 }], ...spec } },
  );
/** A pod template with the labels that the Service selects. */
export const template = (spec: Fields = {}, container: Fields = {}): object => ({
  metadata: { labels: { app: 'api' } },
  spec: { serviceAccountName: 'api', containers: [{ name: 'server', args: ['--secure-port=8443'], ...container }], ...spec },
});
export const deployment = (spec: Fields = {}, container: Fields = {}, metadata: Fields = {}): object =>
  object('apps/v1', 'Deployment', { name: 'api', namespace, ...metadata }, { spec: { template: template(spec, container) } });
/** A Deployment that reads its certificate from a Secret. */
export const servesFrom = (secretName: string, flags = ['--tls-cert-file=/pki/tls.crt', '--tls-private-key-file=/pki/tls.key']): object =>
  deployment(
    { volumes: [{ name: 'pki', secret: { secretName } }] },
    { args: ['--secure-port=8443', ...flags], volumeMounts: [{ name: 'pki', mountPath: '/pki' }] },
  );

/** The snapshot of the only APIService. */
export function snapshotOf(...objects: readonly object[]): ApiSnapshot {
  const text = objects.map((each) => JSON.stringify(each)).join('\n---\n');
  const [api] = offlineSnapshot([{ file: 'a.yaml', text }], now).snapshot.apis;
  if (!api) throw new Error('no APIService');
  return api;
}

const rbac = 'rbac.authorization.k8s.io';
export const account = { kind: 'ServiceAccount', name: 'api', namespace };
const roleRef = (kind: string, name: string) => ({ apiGroup: rbac, kind, name });
export const clusterBinding = (role: string, subjects: readonly object[] = [account], name = role): object =>
  object(`${rbac}/v1`, 'ClusterRoleBinding', { name }, { roleRef: roleRef('ClusterRole', role), subjects });
export const binding = (namespace: string | undefined, kind: string, role: string, subjects: readonly object[] = [account]): object =>
  object(`${rbac}/v1`, 'RoleBinding', { name: role, namespace }, { roleRef: roleRef(kind, role), subjects });
export const clusterRole = (name: string, rules: readonly object[], more: Fields = {}, labels: Fields = {}): object =>
  object(`${rbac}/v1`, 'ClusterRole', { name, labels }, { rules, ...more });
export const role = (namespace: string, name: string, rules: readonly object[]): object =>
  object(`${rbac}/v1`, 'Role', { name, namespace }, { rules });
export const rule = (group: string, resource: string, verb: string, ...resourceNames: readonly string[]): KubeObject | object => ({
  apiGroups: [group],
  resources: [resource],
  verbs: [verb],
  ...(resourceNames.length > 0 ? { resourceNames } : {}),
});
