import { describe, expect, test } from 'vitest';
import { type ApiServerSays, judgeEndpoints } from '../../../src/snapshot/endpoint-evidence.ts';
import type { EndpointProbe } from '../../../src/snapshot/types.ts';
import { make } from '../pki/certificates.ts';
import { answers, api, ca, codes, diagnosed, fails, host, leafCertificate, leafFor, now, seen, serves, unavailable } from './snapshots.ts';

/** A certificate of a machine that has the address of a pod only where we are. */
const { info: proxy } = await make({ commonName: 'proxy.example.org' });
const stranger = { ...serves(proxy), at: '10.1.0.2:8443 (pod api-1)', pod: 'api-1', noForward: 'not allowed to create pods/portforward' };
/** The same at localhost in the pod, as of kube-rbac-proxy in the host's network. */
const inPod = { ...stranger, via: 'pod' as const };

describe('a certificate that has nothing to do with the server', () => {
  test('proves nothing at the address of a pod, while the API works', () => {
    expect(diagnosed({ probes: seen([stranger]) })).toMatchObject({
      verdict: 'healthy',
      findings: [],
      notChecked: [
        {
          what: 'the certificates that the endpoints serve',
          why: 'not reachable from here (10.1.0.2:8443 (pod api-1): not allowed to create pods/portforward; another host answers at this address from here, with the certificate of CN=proxy.example.org)',
        },
      ],
    });
  });

  test.each([
    ['while another pod is in order that was reached in another way', [stranger, { ...serves(leafCertificate), via: 'pod' as const }]],
    ['inside the pod, while the API works', [inPod]],
  ])('proves nothing %s', (_, probes) => {
    expect(diagnosed({ probes: seen(probes) })).toMatchObject({ verdict: 'healthy', findings: [], notChecked: [{}] });
  });

  test('proves nothing where nobody may ask the API', () => {
    const aggregated = { state: 'unseen', reason: 'forbidden', words: 'no' } as const;
    expect(diagnosed({ aggregated, probes: seen([stranger]) })).toMatchObject({ verdict: 'unknown', findings: [] });
  });

  test('nor while kube-apiserver does not get as far as a certificate', () => {
    const words = 'dial tcp 10.1.0.2:8443: i/o timeout';
    const change = { apiService: seen(unavailable(words)), aggregated: answers(503, words) };
    expect(codes(diagnosed({ ...change, probes: seen([stranger]) }))).toEqual(['network/timeout']);
  });

  test.each([
    ['inside the pod, when the API does not work', { probes: seen([inPod]), aggregated: answers(503, 'service unavailable') }],
    ['inside the pod, beside another one that is in order', { probes: seen([{ ...serves(leafCertificate), via: 'pod' as const }, inPod]) }],
    ['at an address that somebody gave', { probes: seen([{ ...stranger, pod: undefined }]) }],
    ['beside a pod that is in order, and reached in the same way', { probes: seen([serves(leafCertificate), stranger]) }],
    ['when the API does not work', { probes: seen([stranger]), aggregated: answers(503, 'service unavailable') }],
  ])('counts %s', (_, change) => {
    const diagnosis = diagnosed(change);
    expect(codes(diagnosis)).toContain('cert/unknown-authority');
    expect(diagnosis).toMatchObject({ verdict: 'broken', notChecked: [] });
  });

  test.each([
    ['its name', async () => leafFor(['localhost'])],
    ['its CA', async () => ({ ...leafCertificate, notAfter: '2026-01-01T00:00:00.000Z' })],
  ])('has neither: %s is the matter alone', async (_, certificate) => {
    expect(diagnosed({ apiService: seen(api), probes: seen([serves(await certificate())]) }).verdict).toBe('broken');
  });
});

describe('the serving certificate where no other will do', () => {
  const expected = { roots: [ca], hostname: host, now };
  const says: ApiServerSays = { api: 'unknown', faults: [] };
  const evidence = (leaf: string, probes: readonly EndpointProbe[]) =>
    judgeEndpoints(probes, { ...expected, leaf }, says).map((probe) => probe.evidence);

  test('is told from another one that the caBundle accepts', async () => {
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

  test('is doubtful alone, proves nothing while the API works, and counts beside a pod that answers there', () => {
    expect(judged([refusing])).toEqual(['doubtful']);
    expect(judged([refusing], 'works')).toEqual(['unknown']);
    expect(judged([refusing, serves(leafCertificate)], 'works')).toEqual(['unknown', 'good']);
    expect(judged([refusing, good], 'works')).toEqual(['faulty', 'good']);
  });

  test('counts always when kube-apiserver is refused as well', () => {
    expect(judged([confirmed], 'works')).toEqual(['faulty']);
    expect(judged([confirmed])).toEqual(['faulty']);
  });
});

describe('an address from here', () => {
  const says: ApiServerSays = { api: 'unknown', faults: [] };
  const refused = { ...fails('refused'), pod: 'api-1' };
  const judged = (...probes: readonly EndpointProbe[]) =>
    judgeEndpoints(probes, { roots: [ca], hostname: host, now }, says).map((probe) => probe.evidence);

  test('that refuses counts for a pod only where the address of another one leads there', () => {
    expect(judged(refused)).toEqual(['unknown']);
    expect(judged(refused, { ...serves(leafCertificate), via: 'pod' })).toEqual(['unknown', 'good']);
    expect(judged(refused, serves(leafCertificate))).toEqual(['faulty', 'good']);
  });

  test('that is no pod’s is the same from everywhere', () => {
    expect(judged({ ...refused, pod: undefined })).toEqual(['faulty']);
    expect(judged({ ...fails('timeout'), pod: undefined })).toEqual(['unknown']);
  });
});

describe('where any certificate will do, as with insecureSkipTLSVerify', () => {
  const insecure = seen({ ...api, caBundle: '', insecureSkipTLSVerify: true });

  test('whatever a pod shows is its own', () => {
    expect(diagnosed({ apiService: insecure, probes: seen([inPod]) })).toMatchObject({
      findings: [{ code: 'security/insecure-skip-tls-verify' }],
      notChecked: [],
    });
  });

  test('what its address shows from here may still be that of another machine', () => {
    expect(diagnosed({ apiService: insecure, probes: seen([stranger]) }).notChecked).toHaveLength(1);
  });
});
