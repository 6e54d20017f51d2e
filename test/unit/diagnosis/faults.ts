import type { manifestEntries } from '../../../src/diagnosis/catalog/manifest.ts';
import type { Code } from '../../../src/diagnosis/catalog.ts';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { certManagerFaults } from './cert-manager-faults.ts';
import { certificateFaults, oldCa, soonCa } from './certificate-faults.ts';
import { delegation, endpointAnswers, everything, lists, requestHeader, secret, server } from './everything.ts';
import {
  cannotRead,
  crashes,
  injected,
  injectedInto,
  listing,
  nothingRelated,
  registered,
  reports,
  without,
  withoutMetrics,
  withPod,
  withServer,
} from './fault-parts.ts';
import { moreFaults } from './more-faults.ts';
import {
  absent,
  answers,
  api,
  endpoint,
  fails,
  gone,
  healthy,
  readyPod,
  resourceList,
  seen,
  service,
  unavailable,
  unseen,
} from './snapshots.ts';

/** The codes that an API in a cluster can have. Files are tested in lint-manifests.test.ts. */
type ClusterCode = Exclude<Code, keyof typeof manifestEntries>;

/**
 * For every code, the smallest change to a healthy API that gives it. Every code must have an
 * entry.
 */
const changes: Readonly<Record<ClusterCode, Partial<ApiSnapshot>>> = {
  ...certificateFaults,
  ...moreFaults,
  ...certManagerFaults,
  'registration/missing': { apiService: absent },
  'service/missing': { service: absent },
  'service/not-in-files': {
    service: { state: 'unseen', reason: 'not-given', words: 'the files do not contain it' },
    related: { ...nothingRelated, nearService: { namespace: 'other', name: 'api' } },
  },
  'service/selects-no-pod': {
    related: { ...nothingRelated, unselected: ['labels of the pods of Deployment wardle/api: app=apx'], missedServer: true },
  },
  'service/not-tcp': {
    service: seen({ ...service, ports: [{ name: 'https', port: 443, targetPort: '8443', protocol: 'UDP' }] }),
    probes: seen([fails('timeout')]),
    aggregated: gone,
  },
  'endpoints/no-replicas': {
    related: {
      ...nothingRelated,
      workload: { kind: 'Deployment', namespace: 'wardle', name: 'api', ports: [], containers: 1, withoutReplicas: true },
    },
  },
  'service/port-missing': { service: seen({ ...service, ports: [{ name: 'https', port: 8443, targetPort: '8443' }] }) },
  'endpoints/pod-unschedulable': withPod({ unscheduled: '0/1 nodes are available' }),
  'endpoints/image-pull': withServer({ state: { kind: 'waiting', reason: 'ErrImagePull', message: 'not found' } }),
  'endpoints/pod-cannot-start': withServer({ state: { kind: 'waiting', reason: 'CreateContainerConfigError', message: 'no Secret' } }),
  'endpoints/pod-crashing': withServer({ state: { kind: 'ended', exitCode: 1, reason: 'Error', message: '' } }),
  'endpoints/node-not-ready': withPod({ unready: { reason: '', message: '' } }),
  'endpoints/readiness-gate': withPod({
    unready: { reason: 'ReadinessGatesNotReady', message: 'the status of pod readiness gate "x" is not "True"' },
  }),
  'endpoints/pod-not-ready': withServer({}),
  'endpoints/pod-terminating': { pods: seen([readyPod, { ...readyPod, deleting: true, goneBy: '2026-06-15T11:00:00Z' }]) },
  'endpoints/none': { endpoints: seen([]), probes: seen([]) },
  'endpoints/not-ready': { endpoints: seen([{ ...endpoint, ready: false }]), probes: seen([]) },
  'endpoints/port-name-mismatch': { endpoints: seen([{ ...endpoint, ports: [{ name: 'web', port: 8443 }] }]), probes: seen([]) },
  'endpoints/connection-refused': { probes: seen([fails('refused')]), aggregated: answers(503, 'service unavailable') },
  'endpoints/not-tls': { probes: seen([fails('not-tls')]), aggregated: answers(503, 'service unavailable') },
  'endpoints/handshake-failed': { probes: seen([fails('reset')]), aggregated: answers(503, 'service unavailable') },
  'endpoints/handshake-timeout': { probes: seen([fails('tls-timeout')]), aggregated: answers(503, 'service unavailable') },
  'network/timeout': { probes: seen([fails('timeout')]), aggregated: answers(503, 'service unavailable') },
  'network/no-route': { probes: seen([fails('no-route')]), aggregated: answers(503, 'service unavailable') },
  'security/insecure-skip-tls-verify': { apiService: seen({ ...api, caBundle: '', insecureSkipTLSVerify: true }) },
  'auth/delegator-missing': {
    aggregated: answers(
      500,
      'subjectaccessreviews.authorization.k8s.io is forbidden: User "system:serviceaccount:wardle:api" cannot create',
    ),
  },
  'auth/proxy-not-trusted': { aggregated: answers(401, '{"kind":"Status","message":"Unauthorized"}') },
  'auth/refused-by-server': { aggregated: answers(403, '{"kind":"Status","message":"User \\"system:anonymous\\" cannot get path"}') },
  'discovery/not-found': { aggregated: answers(404, '404 page not found') },
  'discovery/not-a-resource-list': { aggregated: answers(200, '<html>welcome</html>') },
  'discovery/wrong-group-version': { aggregated: answers(200, '{"kind":"APIResourceList","groupVersion":"other/v1","resources":[]}') },
  'discovery/no-resources': {
    aggregated: answers(200, '{"kind":"APIResourceList","groupVersion":"wardle.example.com/v1alpha1","resources":[]}'),
  },
  'discovery/request-failed': { aggregated: answers(500, 'internal error') },
  'control-plane/not-available': {
    apiService: seen(unavailable('service/api in "wardle" is not present', 'ServiceNotFound')),
    aggregated: gone,
  },
  'control-plane/no-condition': { apiService: seen({ ...api, available: undefined }) },
  'registration/name-mismatch': registered({ name: 'v1.wardle' }),
  'registration/insecure-with-bundle': registered({ insecureSkipTLSVerify: true }),
  'registration/priority-out-of-range': registered({ versionPriority: 1001 }),
  'registration/service-incomplete': registered({ service: { namespace: 'wardle', name: 'api', port: 0 } }),
  'registration/local-with-trust': registered({ service: undefined }),
  'registration/automanaged-label': registered({ labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } }),
  'registration/two-injectors': registered({ annotations: { ...injected, 'service.beta.openshift.io/inject-cabundle': 'true' } }),
  'registration/injector-blocked': registered({ insecureSkipTLSVerify: true, caBundle: '', annotations: injected }),
  'registration/outdated-annotation': {
    ...reports('x509: certificate signed by unknown authority'),
    ...injectedInto({ 'certmanager.k8s.io/inject-ca-from': 'wardle/api' }),
  },
  'registration/hides-custom-resources': {
    customResources: seen([{ name: 'flunders.wardle.example.com', versions: ['v1', api.version] }]),
  },
  'registration/priority-too-high': registered({ groupPriorityMinimum: 17_900 }),
  'registration/shadows-group': { ...registered({ groupPriorityMinimum: 17_900 }), aggregated: listing('deployments') },
  'service/target-port-unknown': {
    service: seen({ ...service, ports: [{ name: 'https', port: 443, targetPort: 'secure' }] }),
    endpoints: seen([{ ...endpoint, ports: [] }]),
    probes: seen([]),
    aggregated: gone,
  },
  'service/wrong-target-port': {
    service: seen({ ...service, ports: [{ name: 'https', port: 443, targetPort: '443' }] }),
    probes: seen([fails('refused')]),
    aggregated: gone,
  },
  'service/other-port': {
    service: seen({
      ...service,
      ports: [
        { name: 'https', port: 443, targetPort: '9090' },
        { name: 'api', port: 8443, targetPort: '8443' },
      ],
    }),
    probes: seen([fails('reset')]),
    aggregated: gone,
  },
  'service/headless': reports('cannot route to service with ClusterIP "None"'),
  'service/external-name-unsupported': reports('unsupported service type "ExternalName"'),
  'service/external-name-unresolved': {
    ...reports('dial tcp: lookup api.example.org on 10.0.0.10:53: no such host'),
    service: seen({ ...service, type: 'ExternalName', externalName: 'api.example.org' }),
    endpoints: seen([]),
  },
  'endpoints/tls-too-old': { probes: seen([fails('other', 'ssl routines::unsupported protocol')]), aggregated: gone },
  'network/no-konnectivity-agent': reports('No agent available'),
  'network/address-not-allowed': reports('dial tcp 10.1.0.1:8443: Address is not allowed'),
  'network/proxy-in-the-way': reports('Forbidden'),
  'network/connection-lost': reports('EOF'),
  'network/cluster-ip-unreachable': {
    ...reports('dial tcp 10.0.0.1:443: i/o timeout'),
    probes: healthy.probes,
    serviceProxy: everything.serviceProxy,
  },
  'endpoints/answers-differ': { endpointAnswers: endpointAnswers(403, 403, 500) },
  'security/forged-identity-accepted': { forged: answers(200, resourceList) },
  'security/anonymous-access': { anonymous: answers(200, resourceList), forged: answers(200, resourceList) },
  'security/key-mismatch': { secret: seen({ ...secret, keyMatches: false }) },
  'security/ca-key-in-secret': { secret: seen({ ...secret, otherKeys: ['ca.crt', 'ca.key'] }) },
  'security/private-key-in-configmap': { requestHeader: seen({ ...requestHeader, holdsPrivateKey: true }) },
  'auth/reader-missing': {
    delegation: seen({ ...delegation, mayReadAuthentication: false }),
    ...crashes(cannotRead),
    aggregated: gone,
  },
  'auth/requestheader-missing': { requestHeader: seen({ ...requestHeader, clientCa: [] }), aggregated: answers(403, 'system:anonymous') },
  'auth/front-proxy-ca-expired': {
    requestHeader: seen({ ...requestHeader, clientCa: [oldCa.info] }),
    aggregated: answers(401, 'Unauthorized'),
  },
  'auth/front-proxy-ca-expires-soon': { requestHeader: seen({ ...requestHeader, clientCa: [soonCa.info] }) },
  'auth/client-name-not-allowed': {
    server: seen({ ...server, flags: [...server.flags, '--requestheader-allowed-names=aggregator'] }),
    aggregated: answers(401, 'Unauthorized'),
  },
  'auth/proxy-certificate-refused': reports('remote error: tls: unknown certificate authority'),
  'auth/user-not-allowed': { asUser: seen({ path: '/apis/x', status: 403, body: 'no', user: 'jane', allowed: false }) },
  'auth/list-not-allowed': { listAsUser: lists(403, { user: 'jane', allowed: false }, 'no') },
  'discovery/slow': {
    ...reports('context deadline exceeded (Client.Timeout exceeded while awaiting headers)'),
    probes: healthy.probes,
    anonymous: { state: 'unseen', reason: 'unreachable', words: 'no response within 5 s' },
  },
  'discovery/no-answer': { aggregated: without({ kind: 'none', afterMs: 10_000 }), serviceProxy: unseen() },
  'discovery/stalled': { aggregated: without({ kind: 'stalled', afterMs: 10_000, received: { status: 200, bytes: 12 } }) },
  'discovery/cut-off': { aggregated: without({ kind: 'cut-off', afterMs: 20, received: { status: 200, bytes: 12 } }) },
  'discovery/redirected': { aggregated: answers(302, '') },
  'discovery/server-error': {
    apiService: seen(unavailable('failing or missing response from https://10.0.0.1/x: bad status from https://10.0.0.1/x: 500')),
    aggregated: gone,
  },
  'discovery/no-metrics': withoutMetrics,
  'discovery/list-failed': { list: lists(500, {}, 'etcd is not there') },
  'discovery/probe-failed': { probed: true, list: lists(404, {}, 'page not found') },
  'discovery/not-in-group': { group: seen({ path: '/apis/wardle.example.com', status: 404, body: '' }) },
  'discovery/not-listed': { listed: seen({ freshness: 'Stale', resources: [] }) },
  'discovery/openapi-missing': { openApi: seen({ path: '/openapi/v3/apis/x', status: 404, body: '' }) },
  'control-plane/stale-condition': { apiService: seen(unavailable('EOF')) },
  'control-plane/flapping': { aggregated: gone },
};

/** Pods serve the certificate of their Secret, unless that is the fault. */
function loaded({ probes }: Partial<ApiSnapshot>): Partial<ApiSnapshot> {
  const [probe] = probes?.state === 'seen' ? probes.value : [];
  return probe?.handshake.kind === 'served' ? { secret: seen({ ...secret, certificates: probe.handshake.certificates }) } : {};
}

/** The smallest change of `everything` for every code. */
export const faults = Object.fromEntries(
  Object.entries(changes).map(([code, change]) => [code, { ...loaded(change), ...change }]),
) as Readonly<Record<ClusterCode, Partial<ApiSnapshot>>>;
