import { describe, expect, test } from 'vitest';
import { subjectAltName } from '../../../src/pki/extensions.ts';
import { inDays, make, makeCa } from '../pki/certificates.ts';
import { causesOf, pod } from './cause-tree.ts';
import { everything } from './everything.ts';
import { faults } from './faults.ts';
import { api, bundleOf, codes, diagnosed, gone, host, inYears, leafCertificate, leafFor, seen, serves, unseen } from './snapshots.ts';

/** Which of several faults is the cause, where a certificate has one. */

const selfGenerated = (
  await make({ commonName: 'localhost@1750000000', extensions: [subjectAltName({ dns: ['localhost'], ip: [] }, false)] })
).info;

describe('a self-generated certificate', () => {
  test('explains the wrong name and the unknown authority', () => {
    expect(causesOf({ probes: seen([pod(serves(selfGenerated), 0)]), aggregated: gone })).toContainEqual([
      'cert/self-generated',
      expect.arrayContaining(['cert/san-mismatch', 'cert/unknown-authority', 'discovery/request-failed']),
    ]);
  });

  test('is recognized by its DNS names, whatever its IP addresses', async () => {
    const bound = (
      await make({ commonName: 'localhost@1750000000', extensions: [subjectAltName({ dns: ['localhost'], ip: ['10.1.0.1'] }, false)] })
    ).info;
    expect(codes(diagnosed({ ...everything, secret: unseen(), probes: seen([serves(bound)]), aggregated: gone }))).toEqual([
      'cert/self-generated',
    ]);
  });

  test('does not explain the fault of another pod', async () => {
    const other = await leafFor(['api.other.svc']);
    const probes = seen([pod(serves(selfGenerated), 0), pod(serves(other), 1)]);
    const diagnosis = diagnosed({ ...everything, secret: unseen(), probes, aggregated: gone });
    expect(codes(diagnosed({ ...everything, probes, aggregated: gone }))).toEqual(['cert/self-generated', 'cert/secret-differs']);
    expect(codes(diagnosis)).toEqual(['cert/self-generated', 'cert/san-mismatch']);
    expect(diagnosis.findings[1]?.title).toContain('(pod api-1)');
  });

  test('is not a finding with insecureSkipTLSVerify', () => {
    const insecure = seen({ ...api, caBundle: '', insecureSkipTLSVerify: true });
    expect(causesOf({ apiService: insecure, probes: seen([serves(selfGenerated)]), secret: unseen() })).not.toContainEqual([
      'cert/self-generated',
      expect.anything(),
    ]);
  });
});

describe('a Secret that the pods have not loaded', () => {
  const expired = { ...leafCertificate, notAfter: inDays(-1).toISOString(), fingerprint: 'AA' };

  test('explains the faults of the old certificate', () => {
    expect(causesOf({ probes: seen([pod(serves(expired), 0)]), aggregated: gone })).toEqual([
      ['cert/secret-differs', ['cert/expired', 'discovery/request-failed', 'control-plane/flapping']],
    ]);
  });

  test('does not concern a pod that mounts another Secret', () => {
    const secret = seen({
      name: 'api-tls',
      pods: ['api-1'],
      type: 'Opaque',
      certificates: [leafCertificate],
      keyMatches: true,
      otherKeys: [],
    });
    const probes = seen([pod(serves(expired), 0), pod(serves(leafCertificate), 1)]);
    expect(codes(diagnosed({ ...everything, secret, probes }))).toEqual(['cert/expired']);
  });

  test('is one finding for all pods with the same certificate', () => {
    const probes = seen([pod(serves(expired), 0), pod(serves(leafCertificate), 1), pod(serves(expired), 2)]);
    const { findings } = diagnosed({ ...everything, probes });
    expect(findings.map(({ code }) => code)).toEqual(['cert/secret-differs']);
    expect(findings[0]?.title).toContain('10.1.0.0:8443 (pod api-0), 10.1.0.2:8443 (pod api-2) is not the one in the Secret');
  });

  test('explains nothing if the new certificate is not valid either', async () => {
    const wrong = await leafFor(['api.other.svc']);
    const secret = seen({
      name: 'api-tls',
      pods: ['api-0', 'api-1'],
      type: 'kubernetes.io/tls',
      certificates: [wrong],
      keyMatches: true,
      otherKeys: [],
    });
    const found = diagnosed({ ...everything, secret, probes: seen([pod(serves(expired), 0)]), aggregated: gone }).findings;
    expect(found.map(({ code, severity }) => [code, severity])).toEqual([
      ['cert/expired', 'error'],
      ['cert/secret-differs', 'warning'],
    ]);
  });

  test('is explained by a subPath mount', () => {
    const { server } = faults['cert/sub-path-mount'];
    const found = causesOf({ probes: seen([pod(serves(expired), 0)]), aggregated: gone, ...(server ? { server } : {}) });
    expect(found).toEqual([['cert/sub-path-mount', expect.arrayContaining(['cert/secret-differs', 'cert/expired'])]]);
  });
});

test('an intermediate CA that expires soon, before its leaf, is one finding', async () => {
  const root = await makeCa({ commonName: 'root', notAfter: inYears(9) });
  const expiring = await makeCa({ commonName: 'inner', issuer: root, notAfter: inDays(10) });
  const leaf = await make({ commonName: 'leaf', issuer: expiring, extensions: [subjectAltName({ dns: [host], ip: [] }, false)] });
  const apiService = seen({ ...api, caBundle: bundleOf(root.info) });
  expect(causesOf({ apiService, probes: seen([serves(leaf.info, expiring.info)]), secret: unseen() })).toEqual([
    ['cert/expires-soon', ['cert/ca-expires-before-leaf']],
  ]);
});

test.each([
  [5, inDays(5)],
  [20, inDays(10)],
])('a CA that expires in 10 days is to be renewed before its leaf expires in %i days', async (days, first) => {
  const issuer = await makeCa({ commonName: 'CA', notAfter: inDays(10) });
  const extensions = [subjectAltName({ dns: [host], ip: [] }, false)];
  const { info } = await make({ commonName: 'leaf', issuer, extensions, notAfter: inDays(days) });
  const apiService = seen({ ...api, caBundle: bundleOf(issuer.info) });
  const date = (time: Date): string => time.toISOString().slice(0, 10);
  expect(diagnosed({ apiService, probes: seen([serves(info)]) }).findings).toMatchObject([
    {
      code: 'bundle/expires-soon',
      title: expect.stringContaining(`expires on ${date(inDays(10))}`),
      fix: expect.stringContaining(`Before ${date(first)}, renew the CA and the serving certificate.`),
    },
  ]);
});

test.each<[number, readonly string[]]>([
  [1, []],
  [60, []],
  [61, ['cert/ca-expires-before-leaf']],
])('a CA that expires %i seconds before its leaf, as Helm generates them: %s', async (seconds, expected) => {
  const ends = inDays(300);
  const issuer = await makeCa({ commonName: 'CA', notAfter: new Date(ends.getTime() - seconds * 1000) });
  const extensions = [subjectAltName({ dns: [host], ip: [] }, false)];
  const { info } = await make({ commonName: 'leaf', issuer, extensions, notAfter: ends });
  const apiService = seen({ ...api, caBundle: bundleOf(issuer.info) });
  expect(codes(diagnosed({ apiService, probes: seen([serves(info)]) }))).toEqual(expected);
});
