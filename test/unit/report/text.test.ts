import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import { diagnosisJson, resultJson } from '../../../src/report/json.ts';
import { diagnosisShort } from '../../../src/report/short.ts';
import { diagnosisText } from '../../../src/report/text.ts';
import { answers, api, bundleOf, healthy, leafCertificate, now, otherCa, seen, snapshotOf, unseen } from '../diagnosis/snapshots.ts';
import { colored, colorless } from './colors.ts';
import { placed } from './diagnoses.ts';

const broken = diagnose(
  snapshotOf({
    ...healthy,
    apiService: seen({ ...api, caBundle: bundleOf(otherCa) }),
    service: unseen('services is forbidden'),
    aggregated: answers(503, 'error trying to reach service: x509: certificate signed by unknown authority'),
  }),
);

test('a broken API: findings with causes and fixes, what was not checked, and why it fails', () => {
  expect(diagnosisText(broken, colorless)).toBe(`✗ v1alpha1.wardle.example.com: broken
    points at Service wardle/api port 443
    Available=True (Passed) since 2026-06-15T11:00:00Z
    10.1.0.1:8443 (pod api-0) serves CN=api.wardle.svc, valid until 2027-06-15 (365 days)
    GET /apis/wardle.example.com/v1alpha1: 503

  error cert/unknown-authority: The certificate from 10.1.0.1:8443 (pod api-0) is not signed by a CA in the caBundle (unknown authority)
    seen:     served: CN=api.wardle.svc, issued by CN=CA one, SHA-256 ${leafCertificate.fingerprint}
    seen:     caBundle: CN=CA one, SHA-256 ${otherCa.fingerprint}
    cause:    The caBundle contains a CA with the name of the issuer, but with a different key. The CA was regenerated, and the caBundle or the extension API server still uses the old one.
    fix:      In an apisvc project, update the caBundle:
              apisvc register
              Otherwise, set spec.caBundle to the CA that signed the certificate. If only some pods serve an untrusted certificate, restart these pods.
    explains: discovery/request-failed: GET /apis/wardle.example.com/v1alpha1 through kube-apiserver failed (503)
              GET /apis/wardle.example.com/v1alpha1: 503
              body: error trying to reach service: x509: certificate signed by unknown authority

  not checked
    the Service: services is forbidden

failed: errors in v1alpha1.wardle.example.com
`);
});

describe('the verdict', () => {
  const firstLine = (text: string): string => text.split('\n')[0] ?? '';
  const warned = { ...healthy, apiService: seen({ ...api, caBundle: '', insecureSkipTLSVerify: true }) };
  const unknown = { ...healthy, apiService: unseen(), aggregated: unseen() };

  test.each([
    ['✓ v1alpha1.wardle.example.com: healthy', healthy],
    ['✓ v1alpha1.wardle.example.com: healthy with 1 warning', warned],
    ['? v1alpha1.wardle.example.com: not enough access to decide', unknown],
  ])('%s', (line, snapshot) => {
    expect(firstLine(diagnosisText(diagnose(snapshotOf(snapshot)), colorless))).toBe(line);
  });

  test('files pass; they cannot prove that the API is healthy', () => {
    const diagnosis = diagnose({ ...snapshotOf(healthy), source: { kind: 'files', files: ['a.yaml'] } });
    expect(firstLine(diagnosisText(diagnosis, colorless))).toBe('✓ v1alpha1.wardle.example.com: passes');
  });
});

test('colors do not change the text', () => {
  const text = diagnosisText(broken, colored);
  expect(text).toContain('\u001b[31m✗\u001b[39m');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escapes that chalk writes.
  expect(text.replace(/\u001b\[\d+m/g, '')).toBe(diagnosisText(broken, colorless));
});

describe('JSON', () => {
  test('is the diagnosis, with its version', () => {
    const parsed = JSON.parse(diagnosisJson(broken));
    expect(parsed).toMatchObject({
      apiVersion: 'apisvc.dev/diagnosis/v1alpha1',
      takenAt: now.toISOString(),
      verdict: 'broken',
      apis: [
        { verdict: 'broken', findings: [{ code: 'cert/unknown-authority', severity: 'error' }], notChecked: [{ what: 'the Service' }] },
      ],
    });
    expect(parsed).toEqual(JSON.parse(JSON.stringify(broken)));
    expect(diagnosisJson(broken).endsWith('}\n')).toBe(true);
  });

  test('of register lists the changes', () => {
    expect(JSON.parse(resultJson({ dryRun: 'client', wouldApply: ['service/a/b'] }))).toEqual({
      apiVersion: 'apisvc.dev/register/v1alpha1',
      dryRun: 'client',
      wouldApply: ['service/a/b'],
    });
  });
});

describe('places in files', () => {
  const text = diagnosisText(placed, colorless);

  test('stand below the title', () => {
    expect(text).toMatch(/error service\/port-missing: [^\n]+\n {4}at: {7}a b\.yaml:12:3, c\.yaml:4\n/);
  });

  test('of the same finding of another version take one line', () => {
    expect(text).toContain('  error service/port-missing: same as for v1alpha1.wardle.example.com, at c.yaml:4\n');
  });

  test('of files that cannot be read come in a section of their own, and are counted', () => {
    expect(text).toContain('✗ files: 1 error\n');
    expect(text).toContain('2 APIs: 2 broken; 1 error in files\n');
    expect(diagnosisShort(placed, colorless)).toMatch(/^✗ files broken manifest\/unreadable\n/);
  });
});
