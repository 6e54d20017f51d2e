import { describe, expect, test } from 'vitest';
import { make } from '../pki/certificates.ts';
import { answers, api, codes, diagnosed, leafCertificate, leafFor, seen, serves, unavailable } from './snapshots.ts';

/** A certificate of a machine that has the address of a pod only where we are. */
const { info: proxy } = await make({ commonName: 'proxy.example.org' });
const stranger = { ...serves(proxy), at: '10.1.0.2:8443 (pod api-1)', pod: 'api-1', noForward: 'not allowed to create pods/portforward' };

describe('a certificate that has nothing to do with the server', () => {
  test('proves nothing at the address of a pod, while the API works', () => {
    expect(diagnosed({ probes: seen([stranger]) })).toMatchObject({
      verdict: 'healthy',
      findings: [],
      notChecked: [
        {
          what: 'the certificates that the endpoints serve',
          why: "can't be reached from here (10.1.0.2:8443 (pod api-1): not allowed to create pods/portforward; from here another machine answers at this address, with the certificate of CN=proxy.example.org)",
        },
      ],
    });
  });

  test('nor while kube-apiserver does not get as far as a certificate', () => {
    const words = 'dial tcp 10.1.0.2:8443: i/o timeout';
    const change = { apiService: seen(unavailable(words)), aggregated: answers(503, words) };
    expect(codes(diagnosed({ ...change, probes: seen([stranger]) }))).toEqual(['network/timeout']);
  });

  test.each([
    ['inside the pod', { probes: seen([{ ...stranger, via: 'pod' as const }]) }],
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
