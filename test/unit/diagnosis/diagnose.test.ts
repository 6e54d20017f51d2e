import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import type { Finding } from '../../../src/diagnosis/types.ts';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import {
  absent,
  answers,
  api,
  bundleOf,
  ca,
  codes,
  diagnosed,
  endpoint,
  fails,
  healthy,
  inYears,
  leafCertificate,
  leafFor,
  name,
  otherCa,
  seen,
  serves,
  service,
  snapshotOf,
  unavailable,
  unseen,
} from './snapshots.ts';

/** kube-apiserver itself did not answer in time. */
const unanswered = { state: 'unseen', reason: 'unreachable', words: 'timed out' } as const;

const explained = ({ explains }: Finding): string[] => explains.map(({ code }) => code);
const only = ({ findings }: { readonly findings: readonly Finding[] }): Finding => {
  expect(findings).toHaveLength(1);
  return findings[0] as Finding;
};

describe('one fault, one finding', () => {
  test('a wrong caBundle on 1.36 and newer explains the condition and the 503, and shows both fingerprints', () => {
    const message = 'failing or missing response from https://10.0.0.1:443/x: Get "x": tls: x509: certificate signed by unknown authority';
    const finding = only(
      diagnosed({
        apiService: seen({ ...unavailable(message), caBundle: bundleOf(otherCa) }),
        aggregated: answers(503, 'service unavailable'),
      }),
    );
    expect(finding.code).toBe('cert/unknown-authority');
    expect(explained(finding)).toEqual(['discovery/request-failed', 'control-plane/not-available']);
    expect(finding.evidence.join('\n')).toContain(leafCertificate.fingerprint);
    expect(finding.evidence.join('\n')).toContain(otherCa.fingerprint);
    expect(finding.cause).toContain('with another key');
  });

  test('a wrong caBundle on 1.35, where the condition stays True', () => {
    const finding = only(
      diagnosed({
        apiService: seen({ ...api, caBundle: bundleOf(otherCa) }),
        aggregated: answers(503, 'error trying to reach service: x509: certificate signed by unknown authority'),
      }),
    );
    expect([finding.code, ...explained(finding)]).toEqual(['cert/unknown-authority', 'discovery/request-failed']);
  });

  test('a stopped server', () => {
    const words = 'error trying to reach service: dial tcp 10.1.0.1:8443: connect: connection refused';
    const finding = only(
      diagnosed({ apiService: seen(unavailable(words)), probes: seen([fails('refused')]), aggregated: answers(503, words) }),
    );
    expect([finding.code, ...explained(finding)]).toEqual([
      'endpoints/connection-refused',
      'discovery/request-failed',
      'control-plane/not-available',
    ]);
    expect(finding.title).toContain('10.1.0.1:8443 (pod api-0)');
  });

  test('a missing Service hides what follows from it', () => {
    const finding = only(
      diagnosed({
        apiService: seen(unavailable('service/api in "wardle" is not present', 'ServiceNotFound')),
        service: absent,
        endpoints: seen([]),
        probes: seen([]),
        aggregated: answers(503, 'service unavailable'),
      }),
    );
    expect([finding.code, ...explained(finding)]).toEqual(['service/missing', 'discovery/request-failed', 'control-plane/not-available']);
  });

  test.each([
    ['service/missing', 'ServiceNotFound'],
    ['service/port-missing', 'ServicePortError'],
    ['endpoints/none', 'EndpointsNotFound'],
  ])('%s is known from the reason of the condition to who may not look at Services', (code, reason) => {
    const apiService = seen(unavailable('words of kube-apiserver', reason));
    const blind = { service: unseen(), endpoints: unseen(), probes: unseen() };
    const finding = only(diagnosed({ apiService, ...blind, aggregated: answers(503, 'service unavailable') }));
    expect([finding.code, ...finding.evidence]).toEqual([code, `Available=False (${reason}): words of kube-apiserver`]);
  });

  test('a priority outside its range is not also one that is too high', () => {
    const apiService = seen({ ...api, groupPriorityMinimum: 20_001 });
    expect(codes(diagnosed({ apiService }))).toEqual(['registration/priority-out-of-range']);
  });

  test('a condition that is not True explains the 503 when nothing better is known', () => {
    const finding = only(diagnosed({ apiService: seen(unavailable('something new')), aggregated: answers(503, 'service unavailable') }));
    expect([finding.code, ...explained(finding)]).toEqual(['control-plane/not-available', 'discovery/request-failed']);
  });

  test('a warning explains nothing', () => {
    const diagnosis = diagnosed({
      apiService: seen({ ...api, caBundle: '', insecureSkipTLSVerify: true }),
      aggregated: answers(500, 'internal error'),
    });
    expect(codes(diagnosis)).toEqual(['security/insecure-skip-tls-verify', 'discovery/request-failed']);
  });
});

describe('several faults', () => {
  test('a server that lacks the version is told beside an endpoint that is gone', () => {
    const diagnosis = diagnosed({ probes: seen([serves(leafCertificate), fails('refused')]), aggregated: answers(404, 'not found') });
    expect(codes(diagnosis)).toEqual(['endpoints/connection-refused', 'discovery/not-found']);
  });

  test('of one certificate are all found, though Go stops at the first', async () => {
    const certificate = { ...leafCertificate, dnsNames: ['api.other.svc'], notAfter: '2026-01-01T00:00:00.000Z' };
    const diagnosis = diagnosed({
      apiService: seen({ ...api, caBundle: bundleOf(otherCa) }),
      probes: seen([{ ...serves(certificate), via: 'pod' }]),
      aggregated: answers(503, 'service unavailable'),
    });
    expect(codes(diagnosis).sort()).toEqual(['cert/expired', 'cert/san-mismatch', 'cert/unknown-authority']);
  });

  test('that have nothing to do with each other are two findings; the first takes the symptoms', () => {
    const diagnosis = diagnosed({
      service: seen({ ...service, ports: [{ name: 'https', port: 8443, targetPort: '8443' }] }),
      apiService: seen({ ...api, caBundle: 'Cg==' }),
      aggregated: answers(503, 'service unavailable'),
    });
    expect(diagnosis.findings.map((finding) => [finding.code, explained(finding)])).toEqual([
      ['service/port-missing', ['discovery/request-failed', 'control-plane/flapping']],
      ['bundle/unparsable', []],
    ]);
  });

  test('the same at every endpoint is one finding that names them all; another elsewhere is its own', async () => {
    const wrong = await leafFor(['api.other.svc']);
    const expired = { ...leafCertificate, notAfter: '2026-01-01T00:00:00.000Z' };
    const diagnosis = diagnosed({
      probes: seen([
        { ...serves(wrong), at: 'one' },
        { ...serves(leafCertificate), at: 'two' },
        { ...serves(expired), at: 'three' },
        { ...serves(wrong), at: 'four' },
      ]),
    });
    expect(diagnosis.findings.map(({ title }) => title)).toEqual([
      expect.stringContaining('from one, four is not valid for'),
      expect.stringContaining('from three expired on 2026-01-01'),
    ]);
  });

  test('in two APIs are told apart, and the whole is as bad as the worst', () => {
    const broken: ApiSnapshot = { ...healthy, name: 'v1.other', apiService: absent };
    const { verdict, apis } = diagnose(snapshotOf(healthy, broken));
    expect(verdict).toBe('broken');
    expect(apis.map((each) => [each.name, each.verdict])).toEqual([
      [name, 'healthy'],
      ['v1.other', 'broken'],
    ]);
  });
});

describe('what could not be seen', () => {
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

  test('nothing at all gives no verdict', () => {
    const all = unseen('forbidden');
    const diagnosis = diagnosed({ apiService: all, service: all, endpoints: all, probes: all, aggregated: all });
    expect(diagnosis).toMatchObject({ verdict: 'unknown', findings: [] });
    expect(diagnosis.notChecked).toHaveLength(5);
  });

  test('an answer through the aggregator proves health, even when nothing else may be read', () => {
    expect(diagnosed({ apiService: unseen(), service: unseen(), endpoints: unseen(), probes: unseen() }).verdict).toBe('healthy');
  });

  test.each<[string, string, Partial<ApiSnapshot>]>([
    ['healthy', 'its condition and a sound certificate', {}],
    ['unknown', 'its condition alone, which up to 1.35 says nothing of the certificate', { probes: unseen() }],
    ['unknown', 'its condition and endpoints that can not be reached', { probes: seen([fails('timeout')]) }],
    ['unknown', 'a sound certificate, but no APIService', { apiService: unseen() }],
    ['unknown', 'a sound certificate, but no condition', { apiService: seen({ ...api, available: undefined }) }],
    ['broken', 'a certificate that is not in order', { apiService: seen({ ...api, caBundle: bundleOf(otherCa) }) }],
  ])('where kube-apiserver does not let the person ask, %s: %s', (verdict, _, change) => {
    expect(diagnosed({ aggregated: unseen(), ...change }).verdict).toBe(verdict);
  });

  test('a request through the aggregator that got no answer is not one that was forbidden', () => {
    expect(diagnosed({ aggregated: unanswered }).verdict).toBe('unknown');
  });

  test('a condition that stays True on 1.34, while the API hangs and its endpoints can not be reached from here, proves nothing', () => {
    expect(diagnosed({ aggregated: unanswered, probes: seen([fails('timeout', 'timed out')]) })).toMatchObject({
      verdict: 'unknown',
      findings: [],
      notChecked: [
        { what: 'the API through the aggregator', why: 'timed out' },
        { what: 'the certificates that the endpoints serve', why: 'not reachable from here (10.1.0.1:8443 (pod api-0): timed out)' },
      ],
    });
  });

  test('pods that only kube-apiserver can reach are not called broken', () => {
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

  test('of two address families that of the other one is not called broken', () => {
    const diagnosis = diagnosed({
      probes: seen([serves(leafCertificate), { ...fails('no-route', 'network unreachable'), at: '[fd00::1]:8443' }]),
    });
    expect(diagnosis).toMatchObject({
      verdict: 'healthy',
      findings: [],
      notChecked: [{ why: 'not reachable from here ([fd00::1]:8443: network unreachable)' }],
    });
  });

  test('a server that has stopped is named, not what kube-apiserver said of its certificate before', () => {
    const stale = 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
    const change = { apiService: seen(unavailable(stale)), aggregated: answers(503, 'service unavailable') };
    const external = diagnosed({ ...change, probes: seen([{ ...fails('refused', 'connection refused'), pod: undefined }]) });
    expect(external.findings.map(({ code }) => code)).toEqual(['endpoints/connection-refused']);
    // The address of a pod may lead somewhere else from here.
    const pod = diagnosed({ ...change, probes: seen([fails('refused', 'connection refused')]) });
    expect(pod.findings.map(({ code }) => code)).toEqual(['cert/unknown-authority']);
  });

  test.each([
    ['timeout', 'no-route', 'dial tcp 10.1.0.1:8443: connect: no route to host'],
    ['no-route', 'timeout', 'dial tcp 10.1.0.1:8443: i/o timeout'],
  ] as const)('packets that are lost here (%s) count only when kube-apiserver loses them in the same way', (here, there, words) => {
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

  test("then kube-apiserver's own words are taken", () => {
    const words = 'x509: certificate is valid for localhost, localhost, not api.wardle.svc';
    const diagnosis = diagnosed({
      apiService: seen(unavailable(words)),
      probes: seen([fails('timeout', 'timed out')]),
      aggregated: answers(503, 'service unavailable'),
    });
    expect(codes(diagnosis)).toEqual(['cert/self-generated']);
    expect(diagnosis.notChecked).toHaveLength(1);
  });

  test('endpoints that were not dialled are counted', () => {
    const endpoints = Array.from({ length: 35 }, (_, index) => ({ ...endpoint, pod: `api-${index}` }));
    const probes = seen(endpoints.slice(0, 32).map(() => serves(leafCertificate)));
    expect(diagnosed({ endpoints: seen(endpoints), probes })).toMatchObject({
      verdict: 'healthy',
      notChecked: [{ what: '3 more endpoints', why: 'only the first endpoints of a Service are checked' }],
    });
  });

  test('one endpoint that answers shows that the others could be reached too', () => {
    const diagnosis = diagnosed({ probes: seen([serves(leafCertificate), fails('refused')]) });
    expect(codes(diagnosis)).toEqual(['endpoints/connection-refused']);
  });
});

test('certificates are judged at the time of the snapshot', () => {
  expect(codes(diagnosed({}, inYears(2.1)))).toEqual(['cert/expired']);
  expect(codes(diagnosed({}, inYears(11)))).toEqual(['cert/expired', 'cert/ca-expired']);
});

test('an ExternalName Service has neither ports nor endpoints of its own', () => {
  const change = { service: seen({ ...service, type: 'ExternalName', externalName: 'api.example.com', ports: [] }), endpoints: seen([]) };
  expect(diagnosed(change)).toMatchObject({ verdict: 'healthy', findings: [] });
});

test('a Local APIService needs no backend', () => {
  const local = {
    ...api,
    service: undefined,
    caBundle: '',
    available: { ...api.available, status: 'True', reason: 'Local' } as typeof api.available,
  };
  const nothing = { state: 'unseen', reason: 'skipped', words: 'the Service it points at is not known' } as const;
  const diagnosis = diagnosed({ apiService: seen(local), service: nothing, endpoints: nothing, probes: nothing });
  expect(diagnosis).toMatchObject({ verdict: 'healthy', findings: [], notChecked: [] });
  expect(diagnosis.facts[0]).toContain('Local');
});

test('a NodePort Service without the port is found as any other', () => {
  const ports = [{ name: 'https', port: 8443, targetPort: '8443' }];
  const diagnosis = diagnosed({ service: seen({ ...service, type: 'NodePort', ports }), aggregated: answers(503, 'service unavailable') });
  expect(codes(diagnosis)).toEqual(['service/port-missing']);
  expect(diagnosis.findings[0]?.evidence).toContain('ports of the Service: 8443 (https)');
});

test('a refusal by the server is seen in the condition too', () => {
  const words = 'failing or missing response from https://10.0.0.1:443/x: bad status from https://10.0.0.1:443/x: 403';
  const finding = only(diagnosed({ apiService: seen(unavailable(words)), aggregated: answers(503, 'service unavailable') }));
  expect([finding.code, ...explained(finding)]).toEqual(['auth/refused-by-server', 'control-plane/not-available']);
});

test('the endpoint of a headless or NodePort Service is matched as that of any other', () => {
  const nodePort = seen({ ...service, type: 'NodePort' });
  expect(codes(diagnosed({ service: nodePort, endpoints: seen([{ ...endpoint, ready: false }]), probes: seen([]) }))).toEqual([
    'endpoints/not-ready',
  ]);
});

test('two certificates in the caBundle, as during a rotation, are both trusted', () => {
  expect(diagnosed({ apiService: seen({ ...api, caBundle: bundleOf(otherCa, ca) }) }).findings).toEqual([]);
});

test('facts say what a verdict rests on', () => {
  expect(diagnosed({}).facts).toEqual([
    'points at Service wardle/api port 443',
    'Available=True (Passed) since 2026-06-15T11:00:00Z',
    '1 of 1 endpoints ready',
    '10.1.0.1:8443 (pod api-0) serves CN=api.wardle.svc, valid until 2027-06-15 (365 days)',
    'GET /apis/wardle.example.com/v1alpha1: 200, resources: flunders, fischers',
  ]);
});
