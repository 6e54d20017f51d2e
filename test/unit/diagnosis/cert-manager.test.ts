import { describe, expect, test } from 'vitest';
import type { ApiSnapshot, CertManagerView } from '../../../src/snapshot/types.ts';
import { makeCa } from '../pki/certificates.ts';
import { fails, injecting, issued, pending, source, works } from './cert-manager-faults.ts';
import { everything, secret } from './everything.ts';
import { answers, api, bundleOf, ca, codes, diagnosed, leafFor, otherCa, seen, serves, unavailable, unseen } from './snapshots.ts';

const findingsOf = (change: Partial<ApiSnapshot>) => diagnosed({ ...everything, ...change }).findings;

test('what cert-manager has issued and injected has no findings', () => {
  expect(findingsOf(works(injecting()))).toEqual([]);
  const allowed = { ...source, allowsInjection: true, certificateName: '' };
  expect(
    findingsOf(works({ annotation: 'cert-manager.io/inject-ca-from-secret', value: 'wardle/api-tls', secret: seen(allowed) })),
  ).toEqual([]);
});

test('a caBundle that also has an earlier CA is injected', () => {
  const certManager = injecting({ secret: seen({ ...source, authorities: [otherCa] }) });
  const apiService = seen({ ...api, caBundle: bundleOf(ca, otherCa), annotations: { [certManager.annotation]: certManager.value } });
  expect(findingsOf({ ...works(certManager), apiService })).toEqual([]);
});

describe('an API that works', () => {
  test.each([
    ['cert-manager/source-not-found', { certificate: { state: 'absent' } }],
    ['cert-manager/not-ready', { certificate: seen(pending) }],
    ['cert-manager/not-injected', { secret: seen({ ...source, authorities: [otherCa] }) }],
  ] satisfies [string, Partial<CertManagerView>][])('has %s as a warning', (code, change) => {
    expect(findingsOf(works(injecting(change)))).toMatchObject([{ code, severity: 'warning', explains: [] }]);
  });
});

test('a certificate that only kept connections still use is explained by an error', async () => {
  const named = injecting({ certificate: seen({ ...issued, dnsNames: ['other.wardle.svc'] }) });
  const served = await leafFor(['other.wardle.svc']);
  expect(
    findingsOf({ ...works(named), probes: seen([serves(served)]), secret: seen({ ...secret, certificates: [served] }) }),
  ).toMatchObject([{ code: 'cert-manager/name-missing', severity: 'error', explains: [{ code: 'cert/san-mismatch' }] }]);
});

describe('an issuer that does not work', () => {
  const told = { type: 'Ready', status: 'False', reason: 'ErrGetKeyPair', message: 'secrets "ca" not found' };
  const issuer = seen({ kind: 'Issuer', name: 'api-ca', conditions: [told] });
  const issuing = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: 'Certificate re-issuance manually triggered' };
  const certificate = { ...issued, issuerRef: { kind: 'Issuer', name: 'api-ca' }, issuer };

  test('is a warning with its message, and with the renewal that waits for it', () => {
    const waiting = { ...certificate, conditions: [...issued.conditions, issuing] };
    expect(findingsOf(works(injecting({ certificate: seen(waiting) })))).toMatchObject([
      {
        code: 'cert-manager/issuer-not-ready',
        severity: 'warning',
        title: 'cert-manager cannot renew Certificate wardle/api-tls: Issuer api-ca is not ready',
        cause: expect.stringContaining('secrets "ca" not found'),
        evidence: [expect.stringContaining('Issuer api-ca: Ready=False'), expect.stringContaining('Issuing=True')],
      },
    ]);
  });

  test('is no finding of its own where the Certificate is not ready, and before cert-manager has read it', () => {
    expect(findingsOf(works(injecting({ certificate: seen({ ...pending, issuer }) })))).toMatchObject([{ code: 'cert-manager/not-ready' }]);
    const unread = seen({ ...certificate, issuer: seen({ kind: 'Issuer', name: 'api-ca', conditions: [] }) });
    expect(findingsOf(works(injecting({ certificate: unread })))).toEqual([]);
  });
});

describe('a Certificate that is not ready', () => {
  const causeOf = (certificate: CertManagerView['certificate'] & object) => findingsOf(fails(injecting({ certificate })))[0]?.cause;

  test('shows the message of its CertificateRequest', () => {
    expect(causeOf(seen(pending))).toContain('issuer.cert-manager.io "nope" not found');
  });

  test('shows the denial, which says more than the condition Ready', () => {
    const conditions = [
      { type: 'Denied', status: 'True', reason: 'policy', message: 'not for this namespace' },
      { type: 'Ready', status: 'False', reason: 'Denied', message: 'The CertificateRequest was denied' },
    ];
    expect(causeOf(seen({ ...pending, request: seen({ namespace: 'wardle', name: 'x', conditions }) }))).toContain(
      'not for this namespace',
    );
  });

  test('without conditions may have no controller', () => {
    expect(causeOf(seen({ ...issued, conditions: [] }))).toContain('may not be running');
  });
});

describe('a caBundle that was not injected', () => {
  const causeOf = (change: Partial<CertManagerView>) => findingsOf(fails(injecting(change)))[0]?.cause;

  test.each([
    ['its Lease is no longer renewed', { lease: seen({ holder: 'x', renewed: '2026-06-15T10:00:00Z', durationSeconds: 60 }) }],
    ['in a namespace other than kube-system', { lease: { state: 'absent' } }],
    ['is running. Either', { lease: seen({ holder: 'x', renewed: '2026-06-15T12:00:00Z', durationSeconds: 60 }) }],
    ['is not running or is not allowed', { lease: unseen() }],
    ['no CA in ca.crt', { secret: seen({ ...source, authorities: [] }) }],
    ['did not write it for this Certificate', { secret: seen({ ...source, certificateName: 'other' }) }],
  ] satisfies [string, Partial<CertManagerView>][])('says: %s', (words, change) => {
    expect(causeOf(change)).toContain(words);
  });
});

describe('an APIService that names the Certificate of the CA', async () => {
  // A renewed CA has the name of the earlier one, and another key.
  const { info: renewed } = await makeCa({ commonName: ca.subject.replace('CN=', '') });
  const certManager = injecting({
    value: 'wardle/api-ca',
    certificate: seen({ ...issued, secretName: 'api-ca', isCA: true }),
    secret: seen({ ...source, name: 'api-ca', certificateName: 'api-ca', authorities: [renewed], certificates: [renewed] }),
  });
  const registered = { annotations: { [certManager.annotation]: certManager.value } };
  const own = { certManager, secret: seen({ ...secret, certificateName: 'api-tls' }) };
  const trustsBoth = seen({ ...api, ...registered, caBundle: bundleOf(ca, renewed) });

  test('has the old certificate as a warning while both CAs are trusted', () => {
    expect(findingsOf({ ...own, apiService: trustsBoth })).toMatchObject([
      {
        code: 'cert-manager/old-ca',
        severity: 'warning',
        title: 'cert-manager Certificate wardle/api-tls is signed by an old CA of Certificate wardle/api-ca',
      },
    ]);
  });

  test('has it as an error that explains the failure where only the new CA is trusted', () => {
    const apiService = seen({
      ...unavailable('x509: certificate signed by unknown authority'),
      ...registered,
      caBundle: bundleOf(renewed),
    });
    const found = findingsOf({ ...own, apiService, aggregated: answers(503, 'service unavailable'), serviceProxy: unseen() });
    expect(found).toMatchObject([{ code: 'cert-manager/old-ca', severity: 'error' }]);
    expect(found[0]?.explains.map(({ code }) => code)).toContain('cert/unknown-authority');
  });

  test('has no such finding where the Secret of the server is not of cert-manager', () => {
    expect(findingsOf({ certManager, apiService: trustsBoth })).toEqual([]);
  });
});

test('what may not be read is not checked', () => {
  const { notChecked, ...diagnosis } = diagnosed({ ...everything, ...works(injecting({ certificate: unseen(), secret: unseen() })) });
  expect(codes({ notChecked, ...diagnosis })).toEqual([]);
  expect(notChecked.map(({ what }) => what)).toEqual(['the cert-manager Certificate', 'the Secret with the CA that cert-manager injects']);
});
