import { X509Certificate } from 'node:crypto';
import type { manifestEntries } from '../../../src/diagnosis/catalog/manifest.ts';
import type { Code } from '../../../src/diagnosis/catalog.ts';
import { caConstraints, extendedKeyUsage, keyUsage, nameConstraints, subjectAltName } from '../../../src/pki/extensions.ts';
import type { CertificateInfo } from '../../../src/pki/types.ts';
import type { AnswerFault, ApiServiceView, ApiSnapshot, ContainerView, PodView } from '../../../src/snapshot/types.ts';
import { fixture, inDays, make, makeCa } from '../pki/certificates.ts';
import { certManagerFaults } from './cert-manager-faults.ts';
import { delegation, endpointAnswers, everything, lists, requestHeader, root, secret, server } from './everything.ts';
import { moreFaults } from './more-faults.ts';
import {
  absent,
  answers,
  api,
  base64,
  bundleOf,
  ca,
  endpoint,
  fails,
  healthy,
  host,
  leafCertificate,
  leafFor,
  otherCa,
  readyPod,
  resourceList,
  seen,
  serves,
  service,
  unavailable,
  unseen,
} from './snapshots.ts';

const san = subjectAltName({ dns: [host], ip: [] }, false);
const trusting = (...certificates: readonly CertificateInfo[]): ApiSnapshot['apiService'] =>
  seen({ ...api, caBundle: bundleOf(...certificates) });

const inner = await makeCa({ commonName: 'inner', issuer: root });
const innermost = await makeCa({ commonName: 'innermost', issuer: inner });
const outsider = await make({ commonName: 'no CA' });
const shallow = await makeCa({ commonName: 'shallow', extensions: [caConstraints(0), keyUsage('keyCertSign')] });
const narrow = await makeCa({
  commonName: 'narrow',
  extensions: [caConstraints(2), keyUsage('keyCertSign'), nameConstraints({ dns: ['other.svc'], ip: [] })],
});
const leafOf = async (issuer: typeof root, extensions = [san]) => (await make({ commonName: 'leaf', issuer, extensions })).info;
const below = await makeCa({ commonName: 'below', issuer: shallow });
const earlyCa = await makeCa({ commonName: 'early', notBefore: inDays(2), notAfter: inDays(900) });
const oldCa = await makeCa({ commonName: 'old', notBefore: inDays(-9), notAfter: inDays(-1) });

/** The only pod is not ready, with this change. */
const withPod = (change: Partial<PodView>): Partial<ApiSnapshot> => ({
  pods: seen([{ ...readyPod, ready: false, ...change }]),
  endpoints: seen([{ ...endpoint, ready: false }]),
  probes: seen([]),
});
const withServer = (change: Partial<ContainerView>): Partial<ApiSnapshot> =>
  withPod({ containers: readyPod.containers.map((server) => ({ ...server, ready: false, ...change })) });

const nothingRelated = { unselected: [], writers: [] };
const gone = answers(503, 'service unavailable');
const reports = (words: string): Partial<ApiSnapshot> => ({
  apiService: seen(unavailable(`failing or missing response from https://10.0.0.1:443/x: Get "https://10.0.0.1:443/x": ${words}`)),
  aggregated: gone,
  probes: unseen(),
  serviceProxy: unseen(),
});
const registered = (change: Partial<ApiServiceView>): Partial<ApiSnapshot> => ({ apiService: seen({ ...api, ...change }) });
const injected = { 'cert-manager.io/inject-ca-from': 'wardle/api' };
const soonCa = await makeCa({ commonName: 'soon', notAfter: inDays(10) });
const shortLived = await leafFor([host], 20);
const shortCa = await makeCa({ commonName: 'short', notAfter: inDays(100) });
const longLeaf = (await make({ commonName: 'leaf', issuer: shortCa, extensions: [san], notAfter: inDays(200) })).info;
const trustingWith = (certificate: CertificateInfo): Partial<ApiSnapshot> => ({ apiService: trusting(certificate) });
const injectedInto = (annotations: Readonly<Record<string, string>>): Partial<ApiSnapshot> => ({
  apiService: seen({ ...unavailable('x509: certificate signed by unknown authority'), caBundle: '', annotations }),
});
const localhost = subjectAltName({ dns: ['localhost'], ip: [] }, false);
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
  words: 'no answer in 10 s',
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

/** The codes that an API in a cluster can have. Files are tested in manifest.test.ts. */
type ClusterCode = Exclude<Code, keyof typeof manifestEntries>;

/**
 * For every code, the smallest change to a healthy API that gives it. Every code must have an
 * entry.
 */
const changes: Readonly<Record<ClusterCode, Partial<ApiSnapshot>>> = {
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
  'bundle/unparsable': { apiService: seen({ ...api, caBundle: 'Cg==' }) },
  'bundle/empty': {
    apiService: seen({ ...unavailable('Get "https://10.0.0.1": x509: certificate signed by unknown authority'), caBundle: '' }),
    aggregated: answers(503, 'service unavailable'),
  },
  'bundle/private-key': { apiService: seen({ ...api, caBundle: base64(`${ca.pem}${fixture('key-sec1.pem')}`) }) },
  'cert/unknown-authority': { apiService: trusting(otherCa), aggregated: gone },
  'cert/issuer-not-a-ca': { apiService: trusting(outsider.info), probes: seen([serves(await leafOf(outsider))]) },
  'cert/missing-intermediate': { apiService: trusting(root.info), probes: seen([serves(await leafOf(innermost), inner.info)]) },
  'cert/expired': { probes: seen([serves({ ...leafCertificate, notAfter: inDays(-1).toISOString() })]) },
  'cert/not-yet-valid': { probes: seen([serves({ ...leafCertificate, notBefore: inDays(1).toISOString() })]) },
  'cert/ca-expired': { apiService: trusting(oldCa.info), probes: seen([serves(await leafOf(oldCa))]) },
  'cert/ca-not-yet-valid': { apiService: trusting(earlyCa.info), probes: seen([serves(await leafOf(earlyCa))]) },
  'cert/san-mismatch': {
    probes: seen([serves(await leafFor(['api.other.svc']))]),
  },
  'cert/common-name-only': { apiService: trusting(root.info), probes: seen([serves(await leafOf(root, []))]) },
  'cert/wrong-usage': {
    apiService: trusting(root.info),
    probes: seen([serves(await leafOf(root, [san, extendedKeyUsage(['clientAuth'])]))]),
  },
  'cert/name-constraints': { apiService: trusting(narrow.info), probes: seen([serves(await leafOf(narrow))]) },
  'cert/path-length': { apiService: trusting(shallow.info), probes: seen([serves(await leafOf(below), below.info)]) },
  'cert/weak-signature': { probes: seen([serves({ ...leafCertificate, signatureAlgorithm: 'sha1WithRSAEncryption' })]) },
  'cert/refused-key': { probes: seen([serves({ ...leafCertificate, publicKey: 'rsa-512' })]) },
  'cert/weak-key': { probes: seen([serves({ ...leafCertificate, publicKey: 'rsa-1024' })]) },
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
  'bundle/der': registered({ caBundle: new X509Certificate(ca.pem).raw.toString('base64') }),
  'bundle/encoded-twice': registered({ caBundle: base64(api.caBundle) }),
  'bundle/damaged-certificate': registered({ caBundle: base64(`${ca.pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`) }),
  'bundle/no-such-certificate': {
    related: { ...nothingRelated, missingCertificate: { value: 'wardle/apy', near: 'wardle/api', why: 'not in the files' } },
  },
  'bundle/not-injected': { ...reports('x509: certificate signed by unknown authority'), ...injectedInto(injected) },
  'bundle/expires-soon': { ...trustingWith(soonCa.info), probes: seen([serves(await leafOf(soonCa))]) },
  'endpoints/answers-differ': { endpointAnswers: endpointAnswers(403, 403, 500) },
  'bundle/unused-ca': { apiService: trusting(ca, root.info) },
  'cert/self-generated': { probes: seen([serves(await leafOf(outsider, [localhost]))]), aggregated: gone },
  'cert/secret-missing': {
    secret: absent,
    ...withServer({ state: { kind: 'waiting', reason: 'CreateContainerConfigError', message: 'no' } }),
    aggregated: gone,
  },
  'cert/secret-unreadable': {
    secret: seen({ ...secret, certificates: [], keyMatches: undefined }),
    aggregated: gone,
    ...crashes('tls: failed to find any PEM data in certificate input'),
  },
  'cert/sub-path-mount': { server: seen({ ...server, secrets: [{ name: 'api-tls', mountPath: '/certs/tls.crt', subPath: true }] }) },
  'cert/secret-differs': {
    probes: seen([serves({ ...leafCertificate, notAfter: inDays(-1).toISOString(), fingerprint: 'AA' })]),
    secret: seen(secret),
    aggregated: gone,
  },
  'cert/expires-soon': { probes: seen([serves(shortLived)]) },
  'cert/ca-expires-before-leaf': {
    ...trustingWith(shortCa.info),
    probes: seen([serves(longLeaf)]),
  },
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
    anonymous: { state: 'unseen', reason: 'unreachable', words: 'no answer in 5 s' },
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
