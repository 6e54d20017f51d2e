import { readFileSync } from 'node:fs';
import { frontProxyName } from '../shared/credentials.ts';
import { kubernetesServiceAddress } from '../shared/engine.ts';
import { localCondition } from './api-service.ts';
import { trackUpdate } from './apply.ts';
import { bootstrapRoles } from './bootstrap-roles.ts';
import { aggregate } from './housekeeping.ts';
import { prepared } from './kind-rules.ts';
import { apiVersionOf, kindOf, kinds, questions } from './kinds.ts';
import type { Kind, Obj, Simulation } from './types.ts';

const kindNamed = (group: string, kind: string): Kind => kindOf(group, kind) as Kind;

/**
 * Puts into a new store what a cluster has before anybody uses it. What each namespace has is left
 * to those who keep house.
 * @param port - where the simulation is served, on 127.0.0.1
 */
export function bootstrap(simulation: Simulation, port: number): void {
  const { store, now } = simulation;
  const put = (kind: Kind, content: Obj): Obj => {
    const updated = { kind: kind.kind, apiVersion: apiVersionOf(kind), ...content };
    const tracked = trackUpdate({ kind, live: undefined, updated, manager: 'kube-apiserver', now: now() });
    return store.create(kind, prepared(store, kind, tracked, undefined));
  };
  for (const name of ['kube-system', 'kube-public', 'kube-node-lease', 'default']) put(kindNamed('', 'Namespace'), namespace(name));
  for (const apiService of localApiServices(now())) put(kindNamed('apiregistration.k8s.io', 'APIService'), apiService);
  put(kindNamed('', 'ConfigMap'), requestHeaderConfiguration(simulation));
  put(kindNamed('', 'Service'), service(port));
  put(kindNamed('', 'Endpoints'), endpoints(port));
  put(kindNamed('discovery.k8s.io', 'EndpointSlice'), endpointSlice(port));
  for (const { kind, object } of bootstrapRoles) put(kind, object);
  aggregate(store, now());
}

const namespace = (name: string): Obj => ({
  metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
});

/**
 * Groups and their order, by group and version:
 * k8s.io/kubernetes/pkg/controlplane/apiserver/aggregator.go (DefaultGenericAPIServicePriorities)
 * and cmd/kube-apiserver/app/aggregator.go.
 */
const priorities: Readonly<Record<string, readonly [groupPriorityMinimum: number, versionPriority: number]>> = {
  v1: [18_000, 1],
  'admissionregistration.k8s.io/v1': [16_700, 15],
  'apiextensions.k8s.io/v1': [16_700, 15],
  'apps/v1': [17_800, 15],
  'authentication.k8s.io/v1': [17_700, 15],
  'authorization.k8s.io/v1': [17_600, 15],
  'autoscaling/v2': [17_500, 30],
  'batch/v1': [17_400, 15],
  'coordination.k8s.io/v1': [16_500, 15],
  'discovery.k8s.io/v1': [16_200, 15],
  'events.k8s.io/v1': [17_750, 15],
  'flowcontrol.apiserver.k8s.io/v1': [16_100, 21],
  'networking.k8s.io/v1': [17_200, 15],
  'policy/v1': [17_100, 15],
  'rbac.authorization.k8s.io/v1': [17_000, 15],
};

/** One for each group and version that is served here, but the one of APIServices themselves. */
function localApiServices(now: Date): Obj[] {
  const served = new Map([...kinds, ...questions].map((kind) => [apiVersionOf(kind), kind]));
  return [...served].flatMap(([apiVersion, { group, version }]) => {
    const [groupPriorityMinimum, versionPriority] = priorities[apiVersion] ?? [];
    if (groupPriorityMinimum === undefined) return [];
    return {
      metadata: { name: `${version}.${group}`, labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
      spec: { ...(group === '' ? {} : { group }), version, groupPriorityMinimum, versionPriority },
      status: { conditions: [localCondition(now)] },
    };
  });
}

/**
 * By which extension API servers know the front proxy
 * (k8s.io/kubernetes/pkg/controlplane/controller/clusterauthenticationtrust).
 */
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

// The Service by which pods reach kube-apiserver
// (k8s.io/kubernetes/pkg/controlplane/controller/kubernetesservice).
const kubernetes = { name: 'kubernetes', namespace: 'default' };
const address = '127.0.0.1';
const portsAt = (port: number): Obj[] => [{ name: 'https', port, protocol: 'TCP' }];

const service = (port: number): Obj => ({
  metadata: { ...kubernetes, labels: { component: 'apiserver', provider: 'kubernetes' } },
  spec: {
    clusterIP: kubernetesServiceAddress,
    internalTrafficPolicy: 'Cluster',
    ipFamilyPolicy: 'SingleStack',
    ports: portsAt(443).map((each) => ({ ...each, targetPort: port })),
    sessionAffinity: 'None',
    type: 'ClusterIP',
  },
});

const endpoints = (port: number): Obj => ({
  metadata: { ...kubernetes, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
  subsets: [{ addresses: [{ ip: address }], ports: portsAt(port) }],
});

const endpointSlice = (port: number): Obj => ({
  metadata: { ...kubernetes, labels: { 'kubernetes.io/service-name': kubernetes.name } },
  addressType: 'IPv4',
  endpoints: [{ addresses: [address], conditions: { ready: true } }],
  ports: portsAt(port),
});
