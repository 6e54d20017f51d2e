import { describe, expect, test } from 'vitest';
import { caConstraints, extendedKeyUsage, keyUsage, nameConstraints, subjectAltName } from '../../../src/pki/extensions.ts';
import type { CertificateInfo } from '../../../src/pki/types.ts';
import { type Code, catalog, entryOf, fill, linkOf, matchesCode } from '../../../src/verify/catalog.ts';
import type { ApiSnapshot, ContainerView, Finding, PodView } from '../../../src/verify/types.ts';
import { fixture, inDays, make, makeCa } from '../pki/certificates.ts';
import {
  absent,
  answers,
  api,
  base64,
  bundleOf,
  ca,
  codes,
  diagnosed,
  endpoint,
  fails,
  healthy,
  host,
  inYears,
  leafCertificate,
  leafFor,
  otherCa,
  readyPod,
  seen,
  serves,
  service,
  unavailable,
} from './snapshots.ts';

const san = subjectAltName({ dns: [host], ip: [] }, false);
const trusting = (...certificates: readonly CertificateInfo[]): ApiSnapshot['apiService'] =>
  seen({ ...api, caBundle: bundleOf(...certificates) });

const root = await makeCa({ commonName: 'root', notAfter: inYears(20) });
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

/** The only pod is not ready, and differs from a good one in this. */
const withPod = (change: Partial<PodView>): Partial<ApiSnapshot> => ({
  pods: seen([{ ...readyPod, ready: false, ...change }]),
  endpoints: seen([{ ...endpoint, ready: false }]),
  probes: seen([]),
});
const withServer = (change: Partial<ContainerView>): Partial<ApiSnapshot> =>
  withPod({ containers: readyPod.containers.map((server) => ({ ...server, ready: false, ...change })) });

/** For every code, the smallest change to a healthy API that gives it. A code without an entry here does not compile. */
const faults: Readonly<Record<Code, Partial<ApiSnapshot>>> = {
  'registration/missing': { apiService: absent },
  'service/missing': { service: absent },
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
  'network/timeout': { probes: seen([fails('timeout')]), aggregated: answers(503, 'service unavailable') },
  'network/no-route': { probes: seen([fails('no-route')]), aggregated: answers(503, 'service unavailable') },
  'bundle/unparsable': { apiService: seen({ ...api, caBundle: 'Cg==' }) },
  'bundle/empty': {
    apiService: seen({ ...unavailable('Get "https://10.0.0.1": x509: certificate signed by unknown authority'), caBundle: '' }),
    aggregated: answers(503, 'service unavailable'),
  },
  'bundle/private-key': { apiService: seen({ ...api, caBundle: base64(`${ca.pem}${fixture('key-sec1.pem')}`) }) },
  'cert/unknown-authority': { apiService: trusting(otherCa) },
  'cert/issuer-not-a-ca': { apiService: trusting(outsider.info), probes: seen([serves(await leafOf(outsider))]) },
  'cert/missing-intermediate': { apiService: trusting(root.info), probes: seen([serves(await leafOf(innermost), inner.info)]) },
  'cert/expired': { probes: seen([serves({ ...leafCertificate, notAfter: inDays(-1).toISOString() })]) },
  'cert/not-yet-valid': { probes: seen([serves({ ...leafCertificate, notBefore: inDays(1).toISOString() })]) },
  'cert/ca-expired': { apiService: trusting(oldCa.info), probes: seen([serves(await leafOf(oldCa))]) },
  'cert/ca-not-yet-valid': { apiService: trusting(earlyCa.info), probes: seen([serves(await leafOf(earlyCa))]) },
  'cert/san-mismatch': {
    probes: seen([serves(await leafFor(['localhost']))]),
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
  'control-plane/not-available': { apiService: seen(unavailable('service/api in "wardle" is not present', 'ServiceNotFound')) },
  'control-plane/no-condition': { apiService: seen({ ...api, available: undefined }) },
};

const cases = Object.entries(faults) as [Code, Partial<ApiSnapshot>][];

test('a healthy API has no finding', () => {
  expect(diagnosed({})).toMatchObject({ verdict: 'healthy', findings: [], notChecked: [] });
});

describe('every code', () => {
  test.each(cases)('%s is found, alone, with all its words', (code, change) => {
    const diagnosis = diagnosed(change);
    expect(codes(diagnosis)).toEqual([code]);
    const [finding] = diagnosis.findings as [Finding];
    const words = [finding.title, finding.cause, finding.fix];
    for (const text of words) expect(text).not.toMatch(/\{[a-zA-Z]+\}|undefined|\bNaN\b|^$/);
    expect(finding).toMatchObject({ severity: entryOf(code).severity, link: linkOf(code) });
    expect(diagnosis.verdict).toBe(entryOf(code).severity === 'error' ? 'broken' : 'healthy');
    expect(healthy).not.toMatchObject(change);
  });
});

describe('the catalog', () => {
  test('codes are family/name, in lower case', () => {
    for (const code of Object.keys(catalog)) expect(code).toMatch(/^[a-z][a-z-]*\/[a-z][a-z-]*$/);
  });

  test('anchors of links are distinct', () => {
    const links = (Object.keys(catalog) as Code[]).map(linkOf);
    expect(new Set(links).size).toBe(links.length);
  });

  test('every pattern of explainedBy means at least one code', () => {
    const all = Object.keys(catalog) as Code[];
    for (const code of all)
      for (const pattern of entryOf(code).explainedBy ?? []) expect(all.some((other) => matchesCode(other, [pattern]))).toBe(true);
  });

  test('no explanation goes in circles', () => {
    const all = Object.keys(catalog) as Code[];
    const causes = (code: Code): Code[] => all.filter((other) => matchesCode(other, entryOf(code).explainedBy ?? []));
    const walk = (code: Code, path: readonly Code[]): void => {
      expect(path).not.toContain(code);
      for (const cause of causes(code)) walk(cause, [...path, code]);
    };
    for (const code of all) walk(code, []);
  });

  test('a family is matched as a whole, a code exactly', () => {
    expect(matchesCode('cert/expired', ['cert/*'])).toBe(true);
    expect(matchesCode('cert/expired', ['cert/expired'])).toBe(true);
    expect(matchesCode('cert/expired', ['cert/ca-expired', 'certificates/*', 'bundle/*'])).toBe(false);
  });
});

describe('fill', () => {
  test('puts in each word once, and never what a value says', () => {
    expect(fill('{a} and {b} and {a}', { a: '{b}', b: '$&' })).toBe('{b} and $& and {b}');
  });

  test('leaves JSON and jsonpath alone', () => {
    expect(fill('-p \'{"spec":{}}\' {.spec.selector}', {})).toBe('-p \'{"spec":{}}\' {.spec.selector}');
  });

  test('a word without a value is a defect', () => {
    expect(() => fill('{a}', {})).toThrow('no value for {a}');
  });
});
