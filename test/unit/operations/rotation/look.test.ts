import { describe, expect, test } from 'vitest';
import type { Registration } from '../../../../src/config/schema.ts';
import { judgeLook, progressOf } from '../../../../src/operations/rotation/look.ts';
import type { CertificateInfo } from '../../../../src/pki/types.ts';
import type { Evidence, JudgedProbe } from '../../../../src/snapshot/endpoint-evidence.ts';

const certificate = (fingerprint: string) =>
  ({ fingerprint, subject: `CN=${fingerprint}`, issuer: 'CN=CA', dnsNames: [] }) as unknown as CertificateInfo;

const served = (pod: string, evidence: Evidence, fingerprint: string): JudgedProbe =>
  ({
    at: `10.0.0.1:443 (pod ${pod})`,
    pod,
    via: 'pod',
    evidence,
    handshake: { kind: 'served', certificates: [certificate(fingerprint)] },
  }) as unknown as JudgedProbe;
const failed = (pod: string, evidence: Evidence): JudgedProbe =>
  ({
    at: `10.0.0.1:443 (pod ${pod})`,
    pod,
    via: 'pod',
    evidence,
    handshake: { kind: 'failed', fault: 'timeout', words: 'timed out' },
  }) as unknown as JudgedProbe;

const registration = { spec: { service: { port: 443 } } } as Registration;
const from = { chain: '', presented: [], leaf: 'OLD', anchors: [], key: undefined };
const look = (probes: readonly JudgedProbe[], waiting: readonly string[] = [], direction: 'forward' | 'back' = 'forward') =>
  judgeLook({ probes, waiting, pods: [] }, { from, registration, direction });

describe('a look at all endpoints is complete', () => {
  test('when all of them serve the certificate', () => {
    expect(look([served('a', 'good', 'NEW'), served('b', 'good', 'NEW')])).toMatchObject({ complete: true, others: [], remaining: [] });
  });

  test.each<[string, Evidence]>([
    ['that refuses or resets', 'faulty'],
    ['whose failure proves nothing', 'unknown'],
    ['that may listen elsewhere', 'doubtful'],
  ])('not while there is one %s', (_, evidence) => {
    const seen = look([served('a', 'good', 'NEW'), failed('b', evidence)]);
    expect(seen).toMatchObject({ complete: false, others: [] });
    expect(progressOf(seen)).toBe('1 of 2 serve it; 10.0.0.1:443 (pod b): timed out');
  });

  test('not while one serves the certificate that is left, or any other', () => {
    const seen = look([served('a', 'wrong', 'OLD'), served('b', 'wrong', 'THIRD')]);
    expect(seen.others.map(({ pod }) => pod)).toEqual(['a', 'b']);
    expect(progressOf(seen)).toBe(
      '0 of 2 serve it; 10.0.0.1:443 (pod a) still serves the old certificate; 10.0.0.1:443 (pod b): serves CN=THIRD (SHA-256 THIRD), signed by CN=CA',
    );
  });

  test('not while one serves the new certificate during an abort', () => {
    const seen = look([served('a', 'wrong', 'OLD')], [], 'back');
    expect(progressOf(seen)).toBe('0 of 1 serve it; 10.0.0.1:443 (pod a) still serves the new certificate');
  });

  test('not while a pod has no address, nor without any server', () => {
    expect(look([served('a', 'good', 'NEW')], ['pod b is Pending'])).toMatchObject({ complete: false, remaining: ['pod b is Pending'] });
    expect(look([])).toMatchObject({ complete: false, remaining: ['no pod or endpoint serves port 443 of the Service'] });
  });
});
