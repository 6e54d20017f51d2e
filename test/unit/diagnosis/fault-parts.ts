import type { AnswerFault, ApiServiceView, ApiSnapshot, ContainerView, PodView } from '../../../src/snapshot/types.ts';
import { answers, api, endpoint, gone, readyPod, seen, unavailable, unseen } from './snapshots.ts';

/** Parts of a snapshot with a fault: see faults.ts. */

/** The only pod is not ready, with this change. */
export const withPod = (change: Partial<PodView>): Partial<ApiSnapshot> => ({
  pods: seen([{ ...readyPod, ready: false, ...change }]),
  endpoints: seen([{ ...endpoint, ready: false }]),
  probes: seen([]),
});
export const withServer = (change: Partial<ContainerView>): Partial<ApiSnapshot> =>
  withPod({ containers: readyPod.containers.map((server) => ({ ...server, ready: false, ...change })) });

export const nothingRelated = { unselected: [], writers: [] };
export const reports = (words: string): Partial<ApiSnapshot> => ({
  apiService: seen(unavailable(`failing or missing response from https://10.0.0.1:443/x: Get "https://10.0.0.1:443/x": ${words}`)),
  aggregated: gone,
  probes: unseen(),
  serviceProxy: unseen(),
});
export const registered = (change: Partial<ApiServiceView>): Partial<ApiSnapshot> => ({ apiService: seen({ ...api, ...change }) });
export const injected = { 'cert-manager.io/inject-ca-from': 'wardle/api' };
export const injectedInto = (annotations: Readonly<Record<string, string>>): Partial<ApiSnapshot> => ({
  apiService: seen({ ...unavailable('x509: certificate signed by unknown authority'), caBundle: '', annotations }),
});

/** The only pod crashes, with this last log line. */
export const crashes = (lastLogLine: string): Partial<ApiSnapshot> => ({
  ...withPod({
    containers: readyPod.containers.map((each) => ({
      ...each,
      ready: false,
      state: { kind: 'ended', exitCode: 1, reason: 'Error', message: '' },
    })),
    lastLogLine: seen(lastLogLine),
  }),
});
export const cannotRead =
  'configmaps "extension-apiserver-authentication" is forbidden: User "system:serviceaccount:wardle:api" cannot get';
/** A request through kube-apiserver without a complete answer. */
export const without = (fault: AnswerFault): ApiSnapshot['aggregated'] => ({
  state: 'unseen',
  reason: 'unreachable',
  words: 'no response within 10 s',
  fault,
});
/** An adapter without metrics. */
export const withoutMetrics: Partial<ApiSnapshot> = {
  apiService: seen({ ...api, name: 'v1beta1.custom.metrics.k8s.io', group: 'custom.metrics.k8s.io', version: 'v1beta1' }),
  aggregated: answers(200, '{"kind":"APIResourceList","groupVersion":"custom.metrics.k8s.io/v1beta1","resources":[]}'),
  group: seen({ path: '/apis/custom.metrics.k8s.io', status: 200, body: '{"kind":"APIGroup","versions":[{"version":"v1beta1"}]}' }),
  customResources: seen([]),
  serverLog: seen(['E1128 08:00:00.000000       1 provider.go:227] unable to update list of all metrics: no such host']),
};
/** A discovery document with these resources. */
export const listing = (...names: readonly string[]): ApiSnapshot['aggregated'] =>
  answers(
    200,
    JSON.stringify({ kind: 'APIResourceList', groupVersion: 'wardle.example.com/v1alpha1', resources: names.map((name) => ({ name })) }),
  );
