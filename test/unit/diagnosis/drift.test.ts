import { describe, expect, test } from 'vitest';
import { faults } from './faults.ts';
import { answers, api, bundleOf, ca, codes, diagnosed, host, leafCertificate, leafFor, otherCa, seen } from './snapshots.ts';

/** A cluster compared with a project, and objects that are being deleted. */

const own = { directory: 'demo', authorities: [ca], certificate: leafCertificate };

describe('a project', () => {
  test('with the same certificates is no finding', () => {
    expect(codes(diagnosed({ project: own }))).toEqual([]);
  });

  test('that has an older certificate is a finding, unless the CA issues in the cluster', () => {
    const older = { ...leafCertificate, fingerprint: 'OLD', notBefore: '2020-01-01T00:00:00Z' };
    const project = { ...own, certificate: older };
    expect(codes(diagnosed({ project }))).toEqual(['cert/not-project-certificate']);
    expect(codes(diagnosed({ project: { ...project, issuesInCluster: true } }))).toEqual([]);
    const newer = { ...older, notBefore: '2099-01-01T00:00:00Z' };
    expect(codes(diagnosed({ project: { ...own, certificate: newer, issuesInCluster: true } }))).toEqual(['cert/not-project-certificate']);
    const ofOther = { ...project, authorities: [otherCa], issuesInCluster: true };
    expect(codes(diagnosed({ project: ofOther }))).toEqual(['bundle/not-project-ca']);
  });

  test('without certificates, as in a clone, is no finding', () => {
    expect(codes(diagnosed({ project: { directory: '.', authorities: [] } }))).toEqual([]);
  });

  test('during a rotation, the caBundle also has another CA', () => {
    const apiService = seen({ ...api, caBundle: bundleOf(otherCa, ca) });
    expect(codes(diagnosed({ apiService, project: own }))).toEqual([]);
  });

  test('insecureSkipTLSVerify has its own finding', () => {
    const apiService = seen({ ...api, caBundle: '', insecureSkipTLSVerify: true });
    expect(codes(diagnosed({ apiService, project: own }))).toEqual(['security/insecure-skip-tls-verify']);
  });

  test('another CA explains another certificate, and is only a warning', async () => {
    const { findings, verdict } = diagnosed({ project: { ...own, authorities: [otherCa], certificate: await leafFor([host]) } });
    expect(verdict).toBe('healthy');
    expect(findings.map(({ code, explains }) => [code, ...explains.map((each) => each.code)])).toEqual([
      ['bundle/not-project-ca', 'cert/not-project-certificate'],
    ]);
    expect(findings[0]?.evidence.at(-1)).toMatch(/^demo\/certs\/ca\.crt: CN=CA one, SHA-256 /);
  });

  test('a caBundle that another manager owns too is a warning with the manager and the time', () => {
    const bundleManagers = [
      { manager: 'kustomize-controller', operation: 'Apply', time: '2026-06-15T11:00:00Z' },
      { manager: 'kustomize-controller', operation: 'Update' },
    ];
    const apiService = seen({ ...api, bundleManagers });
    const { findings, verdict } = diagnosed({ apiService, project: own });
    expect(verdict).toBe('healthy');
    expect(findings).toMatchObject([
      {
        code: 'registration/bundle-manager',
        severity: 'warning',
        title: `Another field manager also owns the caBundle of APIService ${api.name}: kustomize-controller`,
        evidence: [
          'spec.caBundle: manager kustomize-controller (Apply) at 2026-06-15T11:00:00Z',
          'spec.caBundle: manager kustomize-controller (Update)',
        ],
      },
    ]);
    // Only apisvc would change the caBundle of a project.
    expect(codes(diagnosed({ apiService }))).toEqual([]);
  });

  test('a caBundle that breaks the API is one fault', () => {
    const change = { apiService: seen({ ...api, caBundle: bundleOf(otherCa) }), aggregated: answers(503, 'service unavailable') };
    expect(codes(diagnosed({ ...change, project: own }))).toEqual(['cert/unknown-authority']);
  });
});

describe('a namespace that is being deleted', () => {
  test('explains a Service that is gone, and pods that are not ready', () => {
    const { namespace, endpoints, probes } = faults['service/namespace-terminating'];
    if (!namespace || !endpoints || !probes) throw new Error('nothing to delete');
    const gone = diagnosed({ namespace, service: { state: 'absent' }, endpoints: seen([]), probes });
    expect(codes(gone)).toEqual(['service/namespace-terminating']);
    expect(gone.findings[0]?.evidence).toContain('Some content in the namespace has finalizers remaining');
    const crashing = faults['endpoints/pod-not-ready'];
    expect(codes(diagnosed({ ...crashing, namespace }))).toEqual(['service/namespace-terminating']);
  });
});
