import { readFileSync } from 'node:fs';
import { frontProxyName } from '../shared/credentials.ts';
import { localCondition } from './api-service.ts';
import { trackUpdate } from './apply.ts';
import { bootstrapRoles } from './bootstrap-roles.ts';
import { prepared } from './kind-rules.ts';
import { apiVersionOf, coreKind, kinds, reviewKinds } from './kinds.ts';
import { apiServiceKind } from './lookup.ts';
import type { Kind, Obj, Simulation } from './types.ts';

/** Creates the objects of a new cluster. Those of each namespace are left to the controllers. */
export function bootstrap(simulation: Simulation): void {
  const { store, now } = simulation;
  const put = (kind: Kind, content: Obj): void => {
    const updated = { kind: kind.kind, apiVersion: apiVersionOf(kind), ...content };
    const tracked = trackUpdate({ kind, live: undefined, updated, manager: 'kube-apiserver', now: now() });
    store.create(kind, prepared(store, kind, tracked, undefined));
  };
  for (const name of ['kube-system', 'kube-public', 'kube-node-lease', 'default'])
    put(coreKind('Namespace'), { metadata: { name, labels: { 'kubernetes.io/metadata.name': name } } });
  for (const apiService of localApiServices(now())) put(apiServiceKind, apiService);
  put(coreKind('ConfigMap'), requestHeaderConfiguration(simulation));
  for (const { kind, object } of bootstrapRoles) put(kind, object);
}

/**
 * One for each built-in group and version except that of APIServices; the core group comes first.
 */
function localApiServices(now: Date): Obj[] {
  const served = new Map([...kinds, ...reviewKinds].map((kind) => [apiVersionOf(kind), kind]));
  served.delete(apiVersionOf(apiServiceKind));
  // kube-apiserver has a list of priorities, all of them between these two.
  return [...served.values()].map(({ group, version }, index) => ({
    metadata: { name: `${version}.${group}`, labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
    spec: { ...(group === '' ? {} : { group }), version, groupPriorityMinimum: 18_000 - index * 100, versionPriority: 15 },
    status: { conditions: [localCondition(now)] },
  }));
}

/** k8s.io/kubernetes/pkg/controlplane/controller/clusterauthenticationtrust. */
const requestHeaderConfiguration = ({ files }: Simulation): Obj => ({
  metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
  data: {
    'client-ca-file': readFileSync(files.ca.cert, 'utf8'),
    'requestheader-allowed-names': JSON.stringify([frontProxyName]),
    'requestheader-client-ca-file': readFileSync(files.frontProxyCa.cert, 'utf8'),
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-username-headers': '["X-Remote-User"]',
  },
});
