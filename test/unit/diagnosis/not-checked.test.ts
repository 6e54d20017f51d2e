import { describe, expect, test } from 'vitest';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import {
  answers,
  api,
  bundleOf,
  codes,
  diagnosed,
  endpoint,
  fails,
  leafCertificate,
  otherCa,
  seen,
  serves,
  unavailable,
  unseen,
} from './snapshots.ts';

/** kube-apiserver itself timed out. */
const unanswered = { state: 'unseen', reason: 'unreachable', words: 'timed out' } as const;

describe('what was not checked', () => {
  test('is listed with the reason, and is not a fault', () => {
    const diagnosis = diagnosed({ service: unseen('no get services'), endpoints: unseen('no list endpointslices') });
    expect(diagnosis).toMatchObject({
      verdict: 'healthy',
      findings: [],
      notChecked: [
        { what: 'the Service', why: 'no get services' },
        { what: 'the EndpointSlices', why: 'no list endpointslices' },
      ],
    });
  });

  test('of several endpoints says each reason and each RBAC rule once', () => {
    const rule = 'Grant this RBAC rule: Role in namespace wardle: {resources: [pods/portforward], verbs: [get]}';
    const probes = ['a', 'b', 'b'].map((words, at) => ({ ...fails('no-forward', `${words}. ${rule}`), at: `10.1.0.${at}:8443` }));
    expect(diagnosed({ probes: seen(probes) }).notChecked).toEqual([
      {
        what: 'the certificates that the endpoints serve',
        why: `not reachable from here (10.1.0.0:8443: a, 10.1.0.1:8443, 10.1.0.2:8443: b). ${rule}`,
      },
    ]);
  });

  test('is listed too if what was seen does not tell', () => {
    const { verdict, notChecked } = diagnosed({ secret: { state: 'unseen', reason: 'undecided', words: 'several Secrets' } });
    expect({ verdict, notChecked }).toEqual({
      verdict: 'healthy',
      notChecked: [{ what: 'the Secret with the serving certificate', why: 'several Secrets' }],
    });
  });

  test('gives the verdict unknown if nothing was observed', () => {
    const all = unseen('forbidden');
    const diagnosis = diagnosed({ apiService: all, service: all, endpoints: all, probes: all, aggregated: all });
    expect(diagnosis).toMatchObject({ verdict: 'unknown', findings: [] });
    expect(diagnosis.notChecked).toHaveLength(5);
  });

  test('does not matter if the aggregator answers', () => {
    expect(diagnosed({ apiService: unseen(), service: unseen(), endpoints: unseen(), probes: unseen() }).verdict).toBe('healthy');
  });

  test.each<[string, string, Partial<ApiSnapshot>]>([
    ['healthy', 'a condition and a valid certificate', {}],
    ['unknown', 'a condition alone, which ignores the certificate up to 1.35', { probes: unseen() }],
    ['unknown', 'a condition and unreachable endpoints', { probes: seen([fails('timeout')]) }],
    ['unknown', 'a valid certificate, but no APIService', { apiService: unseen() }],
    ['unknown', 'a valid certificate, but no condition', { apiService: seen({ ...api, available: undefined }) }],
    ['broken', 'an invalid certificate', { apiService: seen({ ...api, caBundle: bundleOf(otherCa) }) }],
  ])('if the request through the aggregator is forbidden: %s with %s', (verdict, _, change) => {
    expect(diagnosed({ aggregated: unseen(), ...change }).verdict).toBe(verdict);
  });

  test('an unanswered request through the aggregator is not a forbidden one', () => {
    expect(diagnosed({ aggregated: unanswered }).verdict).toBe('unknown');
  });

  test('a condition that stays True on 1.34 proves nothing if the API hangs and its endpoints are unreachable', () => {
    expect(diagnosed({ aggregated: unanswered, probes: seen([fails('timeout', 'timed out')]) })).toMatchObject({
      verdict: 'unknown',
      findings: [],
      notChecked: [
        { what: 'a request to the API through kube-apiserver', why: 'timed out' },
        { what: 'the certificates that the endpoints serve', why: 'not reachable from here (10.1.0.1:8443 (pod api-0): timed out)' },
      ],
    });
  });

  test('pods that only kube-apiserver can reach are not reported as broken', () => {
    const diagnosis = diagnosed({ probes: seen([fails('timeout', 'timed out'), { ...fails('no-route', 'no route to host'), at: 'two' }]) });
    expect(diagnosis).toMatchObject({
      verdict: 'healthy',
      findings: [],
      notChecked: [
        {
          what: 'the certificates that the endpoints serve',
          why: 'not reachable from here (10.1.0.1:8443 (pod api-0): timed out, two: no route to host)',
        },
      ],
    });
  });

  test('an endpoint of an unreachable address family is not reported as broken', () => {
    const diagnosis = diagnosed({
      probes: seen([serves(leafCertificate), { ...fails('no-route', 'network unreachable'), at: '[fd00::1]:8443' }]),
    });
    expect(diagnosis).toMatchObject({
      verdict: 'healthy',
      findings: [],
      notChecked: [{ why: 'not reachable from here ([fd00::1]:8443: network unreachable)' }],
    });
  });

  test('a stopped server is reported instead of an older message about its certificate', () => {
    const stale = 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
    const change = { apiService: seen(unavailable(stale)), aggregated: answers(503, 'service unavailable') };
    const external = diagnosed({ ...change, probes: seen([{ ...fails('refused', 'connection refused'), pod: undefined }]) });
    expect(external.findings.map(({ code }) => code)).toEqual(['endpoints/connection-refused']);
    // From here, the address of a pod may lead to another host.
    const pod = diagnosed({ ...change, probes: seen([fails('refused', 'connection refused')]) });
    expect(pod.findings.map(({ code }) => code)).toEqual(['cert/unknown-authority']);
  });

  test.each([
    ['timeout', 'no-route', 'dial tcp 10.1.0.1:8443: connect: no route to host'],
    ['no-route', 'timeout', 'dial tcp 10.1.0.1:8443: i/o timeout'],
  ] as const)('lost packets (%s) count only if kube-apiserver reports the same fault', (here, there, words) => {
    const aggregated = answers(503, words);
    const other = diagnosed({ apiService: seen(unavailable(words)), probes: seen([fails(here)]), aggregated });
    expect(codes(other)).toEqual([`network/${there}`]);
    expect(other.findings[0]?.title).toContain('the endpoints of the Service');
    expect(other.notChecked).toHaveLength(1);
    const same = diagnosed({ apiService: seen(unavailable(words)), probes: seen([fails(there)]), aggregated });
    expect(codes(same)).toEqual([`network/${there}`]);
    expect(same.findings[0]?.title).toContain('10.1.0.1:8443 (pod api-0)');
    expect(same.notChecked).toEqual([]);
  });

  test('a message of kube-apiserver is used instead', () => {
    const words = 'x509: certificate is valid for localhost, localhost, not api.wardle.svc';
    const diagnosis = diagnosed({
      apiService: seen(unavailable(words)),
      probes: seen([fails('timeout', 'timed out')]),
      aggregated: answers(503, 'service unavailable'),
    });
    expect(codes(diagnosis)).toEqual(['cert/self-generated']);
    expect(diagnosis.notChecked).toHaveLength(1);
  });

  test('endpoints without a TLS handshake are counted', () => {
    const endpoints = Array.from({ length: 35 }, (_, index) => ({ ...endpoint, pod: `api-${index}` }));
    const probes = seen(endpoints.slice(0, 32).map(() => serves(leafCertificate)));
    expect(diagnosed({ endpoints: seen(endpoints), probes })).toMatchObject({
      verdict: 'healthy',
      notChecked: [{ what: '3 more endpoints', why: 'only the first endpoints of a Service are checked' }],
    });
  });

  test('one reachable endpoint proves that the others are reachable too', () => {
    const diagnosis = diagnosed({ probes: seen([serves(leafCertificate), fails('refused')]) });
    expect(codes(diagnosis)).toEqual(['endpoints/connection-refused']);
  });
});
