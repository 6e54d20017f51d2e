import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Registration } from '../../../src/config/schema.ts';
import { createAuthority } from '../../../src/pki/authority.ts';
import type { CertificateFault } from '../../../src/pki/certificate-faults.ts';
import { caConstraints, endEntityConstraints, extendedKeyUsage, nameConstraints, subjectAltName } from '../../../src/pki/extensions.ts';
import { faultsAgainstKeeping, projectFaultTexts, readCertificates, requireCertificates } from '../../../src/project/certificates.ts';
import { projectFiles } from '../../../src/project/project.ts';
import { day, fixture, inDays, type Made, make, makeCa, now } from '../pki/certificates.ts';
import { authority, having, leaf, names, project, registration } from './sample.ts';

const withKey = { withKey: true, now };

const refusal = (dir: string, of = registration, at = now): unknown => {
  try {
    requireCertificates(dir, of, { withKey: true, now: at });
  } catch (error) {
    return error;
  }
  return undefined;
};

const issuedBy = (issuer: Registration['spec']['certificates']['issuer']): Registration => ({
  ...registration,
  spec: { ...registration.spec, certificates: { ...registration.spec.certificates, issuer } },
});

const ed448 = generateKeyPairSync('ed448').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

describe('reading certificates', () => {
  test('the key is read only on request', () => {
    const dir = project();
    expect(requireCertificates(dir, registration, withKey).key?.reveal()).toBe(leaf.key.reveal());
    expect(requireCertificates(dir, registration, { withKey: false, now })).toEqual({
      anchors: [{ pem: authority.certificates, role: 'current' }],
      chain: leaf.certificates,
    });
  });

  test('text around a certificate does not matter', () => {
    const dir = project();
    const { certificate } = projectFiles(dir);
    writeFileSync(certificate, `-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\nsubject=x\n${leaf.certificates}`);
    expect(requireCertificates(dir, registration, withKey).key?.reveal()).toBe(leaf.key.reveal());
  });

  test.each([
    ['certificate', '', 'no certificate found'],
    ['caCertificate', '', 'no certificate found'],
    ['certificate', 'KEY', 'expected a certificate, found a private key'],
    [
      'caCertificate',
      '-----BEGIN CERTIFICATE-----\n',
      'the certificate on line 1 is damaged: its -----END CERTIFICATE----- line is missing',
    ],
  ] as const)('an unusable %s (%#)', (part, text, message) => {
    const dir = project();
    writeFileSync(projectFiles(dir)[part], text === 'KEY' ? leaf.key.reveal() : text);
    expect(refusal(dir)).toMatchObject({
      name: 'UsageError',
      message: `${projectFiles(dir)[part]}: ${message}`,
      fix: `Restore the files, or create new certificates: apisvc init ${dir} --force-keys`,
    });
  });

  test.each([
    ['', 'no private key found'],
    [fixture('key-encrypted-pkcs8.pem'), 'the private key is encrypted and needs a passphrase'],
    [ed448, 'unsupported type of private key for serving certificates: ed448'],
  ])('an unusable key leaves the CA as it is (%#)', (text, message) => {
    const dir = project();
    const { key } = projectFiles(dir);
    const aside = join(dir, 'certs', 'tls.old.key');
    writeFileSync(key, text);
    const keep = 'If the API is registered, move the file aside, and replace the certificate while the API keeps serving';
    const fix = (rotate: string, init: string): string =>
      [
        'Restore the file.',
        `${keep}: mv ${key} ${aside} && apisvc rotate -C ${dir}${rotate}`,
        `If the API is not registered, create new certificates: apisvc init ${dir} --force-keys${init}`,
      ].join('\n');
    expect(refusal(dir)).toMatchObject({ name: 'UsageError', message: `${key}: ${message}`, fix: fix('', '') });
    const ca = ' --ca-cert FILE --ca-key FILE';
    expect(refusal(dir, issuedBy({ type: 'ca' }))).toMatchObject({ fix: fix(ca, ca) });
    const requested = issuedBy({ type: 'csr', signerName: 'example.com/serving' });
    expect(refusal(dir, requested)).toMatchObject({ fix: expect.stringContaining(' && apisvc register -C ') });
  });

  test('a key of another rotation than the certificate, which git brought', () => {
    const dir = project();
    const { key } = projectFiles(dir);
    writeFileSync(key, fixture('key-sec1.pem'));
    expect(refusal(dir)).toMatchObject({
      message: `${key}: the private key does not match the certificate (CN=api.example.svc)`,
      fix: [
        `If the certificate was rotated in another copy of the project, delete the old key: rm ${key}`,
        '  register then uses the key in the Secret, or the key from --keys.',
        `Otherwise, restore the files, or create new certificates: apisvc init ${dir} --force-keys`,
      ].join('\n'),
    });
  });

  test('every fault of every file, a line each', () => {
    const dir = project();
    const { caCertificate, certificate, key } = projectFiles(dir);
    rmSync(certificate);
    rmSync(caCertificate);
    mkdirSync(caCertificate);
    writeFileSync(key, 'precious');
    const { faults, ...read } = readCertificates(dir, registration, withKey);
    expect(read).toEqual({ chain: '', anchors: [] });
    expect(faults).toEqual([
      {
        part: 'caCertificate',
        code: 'file-unreadable',
        reason: 'it is a directory',
        fix: `Move the directory away: mv ${caCertificate} ${caCertificate}.old`,
      },
      { part: 'certificate', code: 'file-not-found' },
      { part: 'key', code: 'no-key', found: 'nothing' },
    ]);
    expect((refusal(dir) as Error).message.split('\n')).toEqual([
      `${caCertificate}: it is a directory`,
      `${certificate}: file not found`,
      `${key}: no private key found`,
    ]);
  });

  test('what can be read, also beside a fault', () => {
    const dir = project();
    rmSync(projectFiles(dir).caCertificate);
    const { chain, anchors, key } = readCertificates(dir, registration, withKey);
    expect({ chain, anchors, key: key?.reveal() }).toEqual({ chain: leaf.certificates, anchors: [], key: leaf.key.reveal() });
  });
});

describe('certificates that cannot serve the registration', () => {
  const subject = 'CN=api.example.svc';
  const ca = 'CN=CA';
  test.each<[string, Registration, Date, CertificateFault[], string[]]>([
    [
      'other names',
      having('dnsNames: [api.example.com]', 'ipAddresses: [192.0.2.1]'),
      now,
      [{ part: 'certificate', code: 'names', missing: ['api.example.com', '192.0.2.1'] }],
      ['tls.crt: the certificate is not valid for api.example.com, 192.0.2.1'],
    ],
    [
      'expired',
      registration,
      inDays(11),
      [{ part: 'certificate', code: 'expired', subject, notAfter: '2026-06-25T12:00:00.000Z' }],
      ['tls.crt: CN=api.example.svc expired on 2026-06-25'],
    ],
    [
      'not yet valid',
      registration,
      inDays(-1),
      [
        { part: 'certificate', code: 'not-yet-valid', subject, notBefore: expect.stringMatching(/^2026-06-15T11:/) },
        { part: 'caCertificate', code: 'not-yet-valid', subject: ca, notBefore: expect.stringMatching(/^2026-06-15T11:/) },
      ],
      [
        expect.stringMatching(/tls\.crt: CN=api\.example\.svc is not valid before 2026-06-15T11:/),
        expect.stringMatching(/ca\.crt: CN=CA is not valid before 2026-06-15T11:/),
      ],
    ],
    [
      'expired together with the CA',
      registration,
      inDays(101),
      [
        { part: 'certificate', code: 'expired', subject, notAfter: '2026-06-25T12:00:00.000Z' },
        { part: 'caCertificate', code: 'expired', subject: ca, notAfter: '2026-09-23T12:00:00.000Z' },
      ],
      ['tls.crt: CN=api.example.svc expired on 2026-06-25', 'ca.crt: CN=CA expired on 2026-09-23'],
    ],
  ])('%s', (_, of, at, faults, lines) => {
    const dir = project();
    expect(readCertificates(dir, of, { withKey: false, now: at }).faults).toEqual(faults);
    const error = refusal(dir, of, at) as Error;
    expect(error).toMatchObject({ name: 'UsageError', fix: expect.stringMatching(/ew certificates: apisvc init \S+ --force-keys$/) });
    expect(error.message.replaceAll(join(dir, 'certs/'), '').split('\n')).toEqual(lines);
  });

  test.each([
    ['an expired certificate', 11, '', ''],
    ['an expired CA', 101, '', ' --ca'],
    ['a lost certificate', 1, 'Restore the files, for example from Git.\n', ''],
  ])('%s: rotate where the API is registered, and new files only where it is not', (what, days, first, flag) => {
    const dir = project();
    if (what === 'a lost certificate') rmSync(projectFiles(dir).certificate);
    expect(refusal(dir, registration, inDays(days))).toMatchObject({
      fix: `${first}If the API is registered, replace the certificate while the API keeps serving: apisvc rotate -C ${dir}${flag}\nIf the API is not registered, create new certificates: apisvc init ${dir} --force-keys`,
    });
  });

  test('another CA beside them, and how to get new ones from a CA that exists', async () => {
    const dir = project();
    const other = await createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 100 * day, now });
    writeFileSync(projectFiles(dir).caCertificate, other.certificates);
    expect(refusal(dir, having('issuer: {type: ca}'))).toMatchObject({
      message: expect.stringMatching(/tls\.crt: the certificate is not signed by a CA in .*ca\.crt$/),
      fix: expect.stringMatching(/apisvc init \S+ --force-keys --ca-cert FILE --ca-key FILE$/),
    });
  });

  test('a key of another type can serve', () => {
    expect(refusal(project(), having('keyType: rsa-4096'))).toBeUndefined();
  });
});

/** What a chain of hand-made certificates is reported as. */
describe('chains that kube-apiserver does not accept', () => {
  const san = () => subjectAltName(names, false);
  const reported = async (root: Made, presented: readonly Made[]): Promise<string[]> => {
    const dir = project();
    writeFileSync(projectFiles(dir).caCertificate, root.info.pem);
    writeFileSync(projectFiles(dir).certificate, presented.map(({ info }) => info.pem).join(''));
    const { faults } = readCertificates(dir, registration, { withKey: false, now });
    return projectFaultTexts(dir, faults).map((text) => text.replaceAll(join(dir, 'certs/'), ''));
  };

  test('for clients only', async () => {
    const root = await makeCa({ commonName: 'root' });
    const client = await make({ commonName: 'leaf', issuer: root, extensions: [san(), extendedKeyUsage(['clientAuth'])] });
    expect(await reported(root, [client])).toEqual(['tls.crt: CN=leaf is not valid for servers: its extendedKeyUsage lacks serverAuth']);
  });

  test('without an intermediate', async () => {
    const root = await makeCa({ commonName: 'root' });
    const middle = await makeCa({ commonName: 'middle', issuer: root });
    const inner = await makeCa({ commonName: 'inner', issuer: middle });
    const below = await make({ commonName: 'leaf', issuer: inner, extensions: [san()] });
    expect(await reported(root, [below, middle])).toEqual(['tls.crt: an intermediate CA between the certificate and ca.crt is missing']);
  });

  test('below a certificate that is not a CA', async () => {
    const root = await make({ commonName: 'root', extensions: [endEntityConstraints()] });
    const below = await make({ commonName: 'leaf', issuer: root, extensions: [san()] });
    expect(await reported(root, [below])).toEqual(['tls.crt: the certificate in ca.crt that signed it is not a CA certificate']);
  });

  test('outside the name constraints, or too deep', async () => {
    const narrow = await makeCa({
      commonName: 'narrow',
      extensions: [caConstraints(0), nameConstraints({ dns: [...names.dns.slice(0, 1)], ip: [] })],
    });
    const middle = await makeCa({ commonName: 'middle', issuer: narrow });
    const below = await make({ commonName: 'leaf', issuer: middle, extensions: [san()] });
    expect(await reported(narrow, [below, middle])).toEqual([
      `tls.crt: the name constraints of the CA CN=narrow do not permit ${names.dns.slice(1).join(', ')}`,
      'tls.crt: the CA CN=narrow allows at most 0 CAs below it (pathLenConstraint)',
    ]);
  });
});

describe('keeping the certificates of a project', () => {
  const against = (dir: string, of = registration) => projectFaultTexts(dir, faultsAgainstKeeping(dir, of, now));

  test('is possible where nothing has changed', () => {
    expect(against(project())).toEqual([]);
  });

  test('is refused for other names, another key type, and damaged files', () => {
    const dir = project();
    const { certificate, key } = projectFiles(dir);
    expect(against(dir, having('keyType: rsa-2048', 'dnsNames: [a.example.com]'))).toEqual([
      `${certificate}: the certificate is not valid for a.example.com`,
      `${key}: the key type is ecdsa-p256, not rsa-2048`,
    ]);
    writeFileSync(key, 'precious');
    expect(against(dir)).toEqual([`${key}: no private key found`]);
  });
});
