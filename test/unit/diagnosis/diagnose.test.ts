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
    expect(finding.cause).toContain('but with a different key');
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

  test('a missing Service explains its symptoms', () => {
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
  ])('%s is found by the reason of the condition if Services are forbidden', (code, reason) => {
    const apiService = seen(unavailable('message of kube-apiserver', reason));
    const blind = { service: unseen(), endpoints: unseen(), probes: unseen() };
    const finding = only(diagnosed({ apiService, ...blind, aggregated: answers(503, 'service unavailable') }));
    expect([finding.code, ...finding.evidence]).toEqual([code, `Available=False (${reason}): message of kube-apiserver`]);
  });

  test('a priority that is out of range is not also reported as too high', () => {
    const apiService = seen({ ...api, groupPriorityMinimum: 20_001 });
    expect(codes(diagnosed({ apiService }))).toEqual(['registration/priority-out-of-range']);
  });

  test('a condition that is not True explains the 503 if no cause is known', () => {
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
  test('a missing version and a stopped endpoint', () => {
    const diagnosis = diagnosed({ probes: seen([serves(leafCertificate), fails('refused')]), aggregated: answers(404, 'not found') });
    expect(codes(diagnosis)).toEqual(['endpoints/connection-refused', 'discovery/not-found']);
  });

  test('all faults of one certificate, although Go reports only the first', async () => {
    const certificate = { ...leafCertificate, dnsNames: ['api.other.svc'], notAfter: '2026-01-01T00:00:00.000Z' };
    const diagnosis = diagnosed({
      apiService: seen({ ...api, caBundle: bundleOf(otherCa) }),
      probes: seen([{ ...serves(certificate), via: 'pod' }]),
      aggregated: answers(503, 'service unavailable'),
    });
    expect(codes(diagnosis).sort()).toEqual(['cert/expired', 'cert/san-mismatch', 'cert/unknown-authority']);
  });

  test('two independent faults: the first explains the symptoms', () => {
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

  test('the same fault at several endpoints is one finding; another fault is a separate one', async () => {
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

  test('in two APIs: the whole verdict is the worst', () => {
    const broken: ApiSnapshot = { ...healthy, name: 'v1.other', apiService: absent };
    const { verdict, apis } = diagnose(snapshotOf(healthy, broken));
    expect(verdict).toBe('broken');
    expect(apis.map((each) => [each.name, each.verdict])).toEqual([
      [name, 'healthy'],
      ['v1.other', 'broken'],
    ]);
  });
});

test('certificates are verified at the time of the snapshot', () => {
  expect(codes(diagnosed({}, inYears(2.1)))).toEqual(['cert/expired']);
  expect(codes(diagnosed({}, inYears(11)))).toEqual(['cert/expired', 'cert/ca-expired']);
});

test('an ExternalName Service needs neither ports nor endpoints', () => {
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

test('a NodePort Service without the port is found', () => {
  const ports = [{ name: 'https', port: 8443, targetPort: '8443' }];
  const diagnosis = diagnosed({ service: seen({ ...service, type: 'NodePort', ports }), aggregated: answers(503, 'service unavailable') });
  expect(codes(diagnosis)).toEqual(['service/port-missing']);
  expect(diagnosis.findings[0]?.evidence).toContain('ports of the Service: 8443 (https)');
});

test('a refusal by the server is found in the condition', () => {
  const words = 'failing or missing response from https://10.0.0.1:443/x: bad status from https://10.0.0.1:443/x: 403';
  const finding = only(diagnosed({ apiService: seen(unavailable(words)), aggregated: answers(503, 'service unavailable') }));
  expect([finding.code, ...explained(finding)]).toEqual(['auth/refused-by-server', 'control-plane/not-available']);
});

test('an endpoint of a NodePort Service that is not ready is found', () => {
  const nodePort = seen({ ...service, type: 'NodePort' });
  expect(codes(diagnosed({ service: nodePort, endpoints: seen([{ ...endpoint, ready: false }]), probes: seen([]) }))).toEqual([
    'endpoints/not-ready',
  ]);
});

test('all certificates in the caBundle are trusted', () => {
  expect(diagnosed({ apiService: seen({ ...api, caBundle: bundleOf(otherCa, ca) }) }).findings).toEqual([]);
});

test('facts list what was observed', () => {
  expect(diagnosed({}).facts).toEqual([
    'points at Service wardle/api port 443',
    'Available=True (Passed) since 2026-06-15T11:00:00Z',
    '1 of 1 endpoints ready',
    '10.1.0.1:8443 (pod api-0) serves CN=api.wardle.svc, valid until 2027-06-15 (365 days)',
    'GET /apis/wardle.example.com/v1alpha1: 200, resources: flunders, fischers',
  ]);
});
