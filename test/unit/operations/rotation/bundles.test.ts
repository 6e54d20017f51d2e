import { beforeAll, describe, expect, test } from 'vitest';
import { accepts, bundleText, isWide, lackedBy, trustsOnly, untrusted, widened } from '../../../../src/operations/rotation/bundles.ts';
import { certificateSet, kindOf } from '../../../../src/operations/rotation/rotation.ts';
import { anchorsIn } from '../../../../src/pki/anchors.ts';
import { inspect } from '../../../../src/pki/inspect.ts';
import type { CertificateInfo, Issued } from '../../../../src/pki/types.ts';
import { viewApiService } from '../../../../src/snapshot/views.ts';
import { serverName, servingCertificate } from '../../cluster/listening.ts';
import { inDays, makeCa } from '../../pki/certificates.ts';

let old: CertificateInfo;
let fresh: CertificateInfo;
let other: CertificateInfo;
let expired: CertificateInfo;
const now = inDays(0);

beforeAll(async () => {
  const make = async (commonName: string, notAfter = inDays(30)) => (await makeCa({ commonName, notBefore: inDays(-60), notAfter })).info;
  [old, fresh, other, expired] = await Promise.all([make('old'), make('new'), make('other'), make('expired', inDays(-1))]);
});

const bundle = (...certificates: readonly CertificateInfo[]) => ({ caBundle: Buffer.from(bundleText(certificates)).toString('base64') });
const subjects = (certificates: readonly CertificateInfo[]): string[] => certificates.map(({ commonName }) => commonName ?? '');

describe('a widened caBundle', () => {
  test('keeps what it trusts, and adds both CAs', () => {
    expect(subjects(widened(bundle(other), { from: [old], to: [fresh] }))).toEqual(['other', 'old', 'new']);
    expect(subjects(widened(bundle(old), { from: [old], to: [fresh] }))).toEqual(['old', 'new']);
    expect(subjects(widened({ caBundle: '' }, { from: [], to: [fresh] }))).toEqual(['new']);
  });

  test('keeps expired CAs, so that a wrong clock drops none', () => {
    expect(subjects(widened(bundle(expired, other), { from: [expired], to: [fresh] }))).toEqual(['expired', 'other', 'new']);
    expect(subjects(widened(bundle(other), { from: [expired], to: [fresh] }))).toEqual(['other', 'expired', 'new']);
  });
});

describe('a caBundle is wide', () => {
  test.each([
    ['with both CAs', () => bundle(old, fresh), false, true],
    ['without the new CA', () => bundle(old), true, false],
    ['without the old CA while something may serve by it', () => bundle(fresh), false, false],
    ['without the old CA after nothing serves by it', () => bundle(fresh), true, true],
    ['with others too', () => bundle(other, fresh, old), false, true],
    ['when it is empty', () => ({ caBundle: '' }), true, false],
  ])('%s', (_, make, nothingServesFrom, wide) => {
    expect(isWide(make(), { from: [old], to: [fresh], now }, nothingServesFrom)).toBe(wide);
  });

  test('without an expired old CA', () => {
    expect(isWide(bundle(fresh), { from: [expired], to: [fresh], now }, false)).toBe(true);
  });
});

test('a caBundle trusts only one CA when it holds nothing else', () => {
  expect(trustsOnly(bundle(fresh), [fresh])).toBe(true);
  expect(trustsOnly(bundle(fresh, fresh), [fresh])).toBe(true);
  expect(trustsOnly(bundle(fresh, old), [fresh])).toBe(false);
  expect(trustsOnly(bundle(), [fresh])).toBe(false);
  expect(subjects(untrusted(bundle(old), [fresh, old, expired]))).toEqual(['new', 'expired']);
  expect(subjects(lackedBy(bundle(old), [fresh, old, expired], now))).toEqual(['new']);
});

test('an APIService accepts a certificate by what its caBundle holds now', async () => {
  const [one, another] = await Promise.all([servingCertificate(), servingCertificate()]);
  const issued = ({ authority, leaf }: typeof one): Issued => ({
    chain: leaf.certificates,
    key: leaf.key,
    anchors: anchorsIn(authority.certificates, 'current'),
  });
  const [set, next] = [certificateSet(issued(one)), certificateSet(issued(another))];
  if (!set || !next) throw new Error('no certificates');
  const api = (spec: object) =>
    viewApiService({ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1.example.com' }, spec });
  const roots = inspect(one.authority.certificates).certificates;
  const today = new Date();
  expect(accepts(api(bundle(...roots)), set, serverName, today)).toBe(true);
  expect(accepts(api(bundle(...roots)), next, serverName, today)).toBe(false);
  expect(accepts(api({}), set, serverName, today)).toBe(false);
  expect(accepts(api({ insecureSkipTLSVerify: true }), next, serverName, today)).toBe(true);
  expect(kindOf(set, next)).toBe('ca');
  expect(kindOf(set, { ...next, anchors: set.anchors })).toBe('leaf');
});
