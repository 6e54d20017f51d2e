import { describe, expect, test } from 'vitest';
import type { DialFault } from '../../../src/cluster/handshake.ts';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import type { ApiDiagnosis } from '../../../src/diagnosis/types.ts';
import type { EndpointProbe } from '../../../src/snapshot/types.ts';
import { recorded } from './recorded.ts';
import { answers, api, codes, diagnosed, fails, leafCertificate, seen, serves, unavailable } from './snapshots.ts';

/** One broken replica among good ones, and what a TLS handshake through a port-forward proves. */

const probe = (pod: string, of: EndpointProbe, via: EndpointProbe['via'] = 'pod'): EndpointProbe => ({
  ...of,
  at: `10.1.0.1:8443 (pod ${pod})`,
  pod,
  via,
});
const inPod = (fault: DialFault, words: string = fault): EndpointProbe => probe('api-0', fails(fault, words));

describe('one broken replica of three', () => {
  test.each([
    ['one-of-three-old-ca', 'cert/unknown-authority', 'third'],
    ['one-of-three-wrong-name', 'cert/san-mismatch', 'third'],
    ['one-of-three-not-listening', 'endpoints/connection-refused', 'third'],
  ])('%s is found and named', (name, code, pod) => {
    const { verdict, findings } = diagnose(recorded(name)).apis[0] as ApiDiagnosis;
    expect(verdict).toBe('broken');
    expect(findings[0]?.code).toBe(code);
    for (const { title } of findings) {
      expect(title).toContain(`(pod ${pod})`);
      expect(title.match(/\(pod /g)).toHaveLength(1);
    }
  });

  test('with a certificate from an old CA is not a fault of the caBundle', () => {
    const [finding] = (diagnose(recorded('one-of-three-old-ca')).apis[0] as ApiDiagnosis).findings;
    expect(finding?.cause).toContain('Other endpoints serve a certificate from a CA in the caBundle');
    expect(finding?.fix).toContain('restart');
  });

  test('with an expired certificate', () => {
    const expired = { ...leafCertificate, notAfter: '2026-01-01T00:00:00.000Z' };
    const diagnosis = diagnosed({ probes: seen([serves(leafCertificate), probe('api-1', serves(expired)), serves(leafCertificate)]) });
    expect(diagnosis).toMatchObject({ verdict: 'broken', findings: [{ code: 'cert/expired' }] });
    expect(diagnosis.findings[0]?.title).toContain('from 10.1.0.1:8443 (pod api-1) expired on 2026-01-01');
  });
});

describe('a TLS handshake through a port-forward', () => {
  const brokenApi = { aggregated: answers(503, 'service unavailable') };

  test.each<[DialFault, string]>([
    ['refused', 'endpoints/connection-refused'],
    ['localhost-refused', 'endpoints/connection-refused'],
    ['not-tls', 'endpoints/not-tls'],
    ['reset', 'endpoints/handshake-failed'],
    ['timeout', 'network/timeout'],
  ])('that fails (%s) counts if the API does not work', (fault, code) => {
    expect(codes(diagnosed({ ...brokenApi, probes: seen([inPod(fault)]) }))).toEqual([code]);
    const forbidden = { aggregated: { state: 'unseen', reason: 'forbidden', words: 'no' } as const };
    expect(codes(diagnosed({ ...forbidden, probes: seen([inPod(fault)]) }))).toEqual([code]);
  });

  test.each<DialFault>(['localhost-refused', 'timeout', 'reset'])(
    'that fails everywhere (%s) while the API works proves nothing',
    (fault) => {
      const diagnosis = diagnosed({ probes: seen([inPod(fault, 'words'), probe('api-1', fails(fault))]) });
      expect(diagnosis).toMatchObject({ verdict: 'healthy', findings: [] });
      expect(diagnosis.notChecked).toHaveLength(1);
    },
  );

  test('that is refused counts while the API works, if kube-apiserver is refused too', () => {
    expect(codes(diagnosed({ probes: seen([inPod('refused')]) }))).toEqual(['endpoints/connection-refused']);
  });

  test('that is refused by localhost does not outweigh a message of kube-apiserver about the certificate', () => {
    const words = 'x509: certificate is valid for api.other.svc, not api.wardle.svc';
    const diagnosis = diagnosed({ ...brokenApi, apiService: seen(unavailable(words)), probes: seen([inPod('localhost-refused')]) });
    expect(codes(diagnosis)).toEqual(['cert/san-mismatch']);
  });

  test('that is not allowed is not a fault, and is listed with the missing permission', () => {
    const words = 'not allowed to create pod/wardle/api-0/portforward';
    const diagnosis = diagnosed({ probes: seen([serves(leafCertificate), inPod('no-forward', words)]) });
    expect(diagnosis).toMatchObject({
      verdict: 'healthy',
      findings: [],
      notChecked: [{ what: 'the certificates that the endpoints serve', why: expect.stringContaining(words) }],
    });
    expect(codes(diagnosed({ ...brokenApi, apiService: seen(api), probes: seen([inPod('no-forward')]) }))).toEqual([
      'control-plane/flapping',
    ]);
  });
});
