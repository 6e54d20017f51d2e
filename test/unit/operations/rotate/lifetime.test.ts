import { expect, test } from 'vitest';
import { requireTime } from '../../../../src/operations/rotate/lifetime.ts';
import type { CertificateSet } from '../../../../src/operations/rotation/rotation.ts';
import type { CertificateInfo } from '../../../../src/pki/types.ts';

const now = () => new Date('2026-11-28T12:00:00Z');
const lasting = (seconds: number) => ({ notAfter: new Date(now().getTime() + seconds * 1_000).toISOString() }) as CertificateInfo;
/** A certificate, and the CAs in its file. */
const setOf = (leaf: number, ...anchors: readonly number[]): CertificateSet => ({
  chain: '',
  presented: [lasting(leaf)],
  leaf: 'x',
  anchors: anchors.map(lasting),
  key: undefined,
});
const request = { dir: '.', soakMs: 10_000, now };
const longer = 'Set a longer spec.certificates.lifetime in apisvc.yaml.';
const longerCa = 'Set a longer spec.certificates.issuer.caLifetime in apisvc.yaml, or use a CA that is valid for longer.';

test.each([
  ['leaf', setOf(99, 1_000), 'the new certificate would expire after 99s, but a rotation may take 100s', longer],
  ['ca', setOf(239, 1_000), 'the new certificate would expire after 239s, but a rotation may take 240s', longer],
  ['ca', setOf(239, 239), 'the new CA would expire after 239s, but a rotation may take 240s', longerCa],
] as const)('a certificate that expires during the rotation of the %s is refused', (kind, set, message, fix) => {
  expect(() => requireTime(set, { ...request, kind })).toThrow(expect.objectContaining({ message: expect.stringContaining(message), fix }));
});

test('a certificate that is valid for longer is used, whatever another CA in certs/ca.crt is', () => {
  expect(() => requireTime(setOf(100, 1_000), { ...request, kind: 'leaf' })).not.toThrow();
  expect(() => requireTime(setOf(100, 1_000, -10), { ...request, kind: 'leaf' })).not.toThrow();
});

test('the refusal does not say that nothing was changed after lost files were restored', () => {
  expect(() => requireTime(setOf(99), { ...request, kind: 'leaf' })).toThrow(/\nnothing was changed$/);
  expect(() => requireTime(setOf(99), { ...request, kind: 'leaf', isRestored: true })).toThrow(/\nnothing else was changed$/);
});
