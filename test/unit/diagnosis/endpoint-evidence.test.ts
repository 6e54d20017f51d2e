import { describe, expect, test } from 'vitest';
import { type ApiServerSays, judgeEndpoints } from '../../../src/snapshot/endpoint-evidence.ts';
import type { EndpointProbe } from '../../../src/snapshot/types.ts';
import { make } from '../pki/certificates.ts';
import { answers, api, ca, codes, diagnosed, fails, host, leafCertificate, leafFor, now, seen, serves, unavailable } from './snapshots.ts';

/** The certificate of a host that has the address of a pod only in our network. */
const { info: proxy } = await make({ commonName: 'proxy.example.org' });
const unrelated = { ...serves(proxy), at: '10.1.0.2:8443 (pod api-1)', pod: 'api-1', noForward: 'not allowed to create pods/portforward' };
/** The same at localhost in the pod, for example of kube-rbac-proxy with hostNetwork. */
const inPod = { ...unrelated, via: 'pod' as const };

describe('an unrelated certificate', () => {
  test('at the address of a pod proves nothing while the API works', () => {
    expect(diagnosed({ probes: seen([unrelated]) })).toMatchObject({
      verdict: 'healthy',
      findings: [],
      notChecked: [
        {
          what: 'the certificates that the endpoints serve',
          why: 'not reachable from here (10.1.0.2:8443 (pod api-1): not allowed to create pods/portforward; another host responds at this address from here, with the certificate of CN=proxy.example.org)',
        },
      ],
    });
  });

  test.each([
    ['if another pod is ok by another route', [unrelated, { ...serves(leafCertificate), via: 'pod' as const }]],
    ['in the pod while the API works', [inPod]],
  ])('proves nothing %s', (_, probes) => {
    expect(diagnosed({ probes: seen(probes) })).toMatchObject({ verdict: 'healthy', findings: [], notChecked: [{}] });
  });

  test('proves nothing if the API request is forbidden', () => {
    const aggregated = { state: 'unseen', reason: 'forbidden', words: 'no' } as const;
    expect(diagnosed({ aggregated, probes: seen([unrelated]) })).toMatchObject({ verdict: 'unknown', findings: [] });
  });

  test('proves nothing if kube-apiserver does not connect', () => {
    const words = 'dial tcp 10.1.0.2:8443: i/o timeout';
    const change = { apiService: seen(unavailable(words)), aggregated: answers(503, words) };
    expect(codes(diagnosed({ ...change, probes: seen([unrelated]) }))).toEqual(['network/timeout']);
  });

  test.each([
    ['in the pod if the API does not work', { probes: seen([inPod]), aggregated: answers(503, 'service unavailable') }],
    ['in the pod if another pod is ok', { probes: seen([{ ...serves(leafCertificate), via: 'pod' as const }, inPod]) }],
    ['at an address that no pod has', { probes: seen([{ ...unrelated, pod: undefined }]) }],
    ['if a pod that was reached by the same route is ok', { probes: seen([serves(leafCertificate), unrelated]) }],
    ['if the API does not work', { probes: seen([unrelated]), aggregated: answers(503, 'service unavailable') }],
  ])('counts %s', (_, change) => {
    const diagnosis = diagnosed(change);
    expect(codes(diagnosis)).toContain('cert/unknown-authority');
    expect(diagnosis).toMatchObject({ verdict: 'broken', notChecked: [] });
  });

  test.each([
    ['its name', async () => leafFor(['localhost'])],
    ['its CA', async () => ({ ...leafCertificate, notAfter: '2026-01-01T00:00:00.000Z' })],
  ])('is not unrelated if only %s is wrong', async (_, certificate) => {
    expect(diagnosed({ apiService: seen(api), probes: seen([serves(await certificate())]) }).verdict).toBe('broken');
  });
});

describe('the only accepted serving certificate', () => {
  const expected = { roots: [ca], hostname: host, now };
  const says: ApiServerSays = { api: 'unknown', faults: [] };
  const evidence = (leaf: string, probes: readonly EndpointProbe[]) =>
    judgeEndpoints(probes, { ...expected, leaf }, says).map((probe) => probe.evidence);

  test('differs from another one that the caBundle trusts', async () => {
    const before = await leafFor([host]);
    const probes = [serves(leafCertificate), serves(before)];
    expect(evidence(leafCertificate.fingerprint, probes)).toEqual(['good', 'wrong']);
    expect(judgeEndpoints(probes, expected, says).map((probe) => probe.evidence)).toEqual(['good', 'good']);
  });
});

describe('a refusal at localhost in the pod', () => {
  const expected = { roots: [ca], hostname: host, now };
  const refusing = { ...fails('localhost-refused'), via: 'pod' as const };
  const confirmed = { ...fails('refused'), via: 'pod' as const };
  const good = { ...serves(leafCertificate), via: 'pod' as const };
  const judged = (probes: readonly EndpointProbe[], api: ApiServerSays['api'] = 'unknown') =>
    judgeEndpoints(probes, expected, { api, faults: [] }).map((probe) => probe.evidence);

  test('is doubtful alone, proves nothing while the API works, and counts if another pod answers', () => {
    expect(judged([refusing])).toEqual(['doubtful']);
    expect(judged([refusing], 'works')).toEqual(['unknown']);
    expect(judged([refusing, serves(leafCertificate)], 'works')).toEqual(['unknown', 'good']);
    expect(judged([refusing, good], 'works')).toEqual(['faulty', 'good']);
  });

  test('always counts if kube-apiserver is refused too', () => {
    expect(judged([confirmed], 'works')).toEqual(['faulty']);
    expect(judged([confirmed])).toEqual(['faulty']);
  });
});

describe('a connection to an address', () => {
  const says: ApiServerSays = { api: 'unknown', faults: [] };
  const refused = { ...fails('refused'), pod: 'api-1' };
  const judged = (...probes: readonly EndpointProbe[]) =>
    judgeEndpoints(probes, { roots: [ca], hostname: host, now }, says).map((probe) => probe.evidence);

  test('that is refused counts for a pod only if the address of another pod was reached', () => {
    expect(judged(refused)).toEqual(['unknown']);
    expect(judged(refused, { ...serves(leafCertificate), via: 'pod' })).toEqual(['unknown', 'good']);
    expect(judged(refused, serves(leafCertificate))).toEqual(['faulty', 'good']);
  });

  test('that no pod has counts', () => {
    expect(judged({ ...refused, pod: undefined })).toEqual(['faulty']);
    expect(judged({ ...fails('timeout'), pod: undefined })).toEqual(['unknown']);
  });
});

describe('with insecureSkipTLSVerify', () => {
  const insecure = seen({ ...api, caBundle: '', insecureSkipTLSVerify: true });

  test('any certificate in the pod is accepted', () => {
    expect(diagnosed({ apiService: insecure, probes: seen([inPod]) })).toMatchObject({
      findings: [{ code: 'security/insecure-skip-tls-verify' }],
      notChecked: [],
    });
  });

  test('a certificate at the address of a pod may be from another host', () => {
    expect(diagnosed({ apiService: insecure, probes: seen([unrelated]) }).notChecked).toHaveLength(1);
  });
});
