import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { servingNames } from '../../../src/config/registration.ts';
import { anchorsIn } from '../../../src/pki/anchors.ts';
import { createAuthority } from '../../../src/pki/authority.ts';
import { issueServing } from '../../../src/pki/leaf.ts';
import type { Authority, Leaf } from '../../../src/pki/types.ts';
import {
  hasKeys,
  isProject,
  projectFiles,
  readRegistration,
  reasonsAgainstKeeping,
  removeReplacedAuthorityKey,
  requireCertificates,
  writeProject,
} from '../../../src/project/project.ts';
import { registrationOf } from '../manifests/fixture.ts';
import { day, fixture, inDays, now } from '../pki/certificates.ts';
import { contents, folder, modeOf } from './folder.ts';

const registration = registrationOf('    image: x');
const names = servingNames(registration);
/** The same server with more in `spec.certificates`. */
const having = (...lines: string[]) =>
  registrationOf('    image: x', ['  certificates:', ...lines.map((line) => `    ${line}`)].join('\n'));
const withKey = { withKey: true, now };
let authority: Authority;
let leaf: Leaf;
beforeAll(async () => {
  authority = await createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 100 * day, now });
  leaf = await issueServing({ authority, names, keyType: 'ecdsa-p256', lifetimeMs: 10 * day, now });
});

const project = (keepAuthorityKey = true): string => {
  const dir = join(folder(), 'demo');
  const issued = { chain: leaf.certificates, key: leaf.key, anchors: anchorsIn(authority.certificates, 'current') };
  writeProject(dir, {
    configuration: 'kind: Registration\n',
    schema: '{}',
    certificates: { issued, ...(keepAuthorityKey ? { caKey: authority.key } : {}) },
  });
  return dir;
};

describe('a new project', () => {
  test('has its files, keys for the owner alone', () => {
    const dir = project();
    const { caKey, key, certificate, configuration } = projectFiles(dir);
    expect(contents(dir)).toEqual([
      '.apisvc',
      '.apisvc/registration.schema.json',
      'apisvc.yaml',
      'certs',
      'certs/.gitignore',
      'certs/ca.crt',
      'certs/ca.key',
      'certs/tls.crt',
      'certs/tls.key',
    ]);
    expect([caKey, key, certificate, configuration].map(modeOf)).toEqual([0o600, 0o600, 0o644, 0o644]);
    expect(readFileSync(projectFiles(dir).ignore, 'utf8')).toContain('\n*.key\n');
    expect([isProject(dir), hasKeys(dir)]).toEqual([true, true]);
  });

  test('leaves the key of a given CA where it is', () => {
    expect(contents(project(false))).not.toContain('certs/ca.key');
  });

  test('keeps certificates that are not to be replaced', () => {
    const dir = project();
    const before = readFileSync(projectFiles(dir).key, 'utf8');
    expect(writeProject(dir, { configuration: 'other\n', schema: '{}', certificates: undefined })).toEqual([
      projectFiles(dir).configuration,
      projectFiles(dir).schema,
    ]);
    expect(readFileSync(projectFiles(dir).key, 'utf8')).toBe(before);
  });
});

describe('reading certificates', () => {
  test('the key is there only when asked for', () => {
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
    ['certificate', 'certs/tls.crt holds no certificate'],
    ['caCertificate', 'certs/ca.crt holds no certificate'],
    ['key', 'certs/tls.key: the key file holds no private key'],
  ] as const)('an empty %s', (file, message) => {
    const dir = project();
    writeFileSync(projectFiles(dir)[file], '');
    expect(() => requireCertificates(dir, registration, withKey)).toThrow(
      expect.objectContaining({ name: 'UsageError', message: join(dir, message) }),
    );
  });

  test('a key of another certificate, or one that is encrypted', () => {
    const dir = project();
    const { key } = projectFiles(dir);
    writeFileSync(key, authority.key.reveal());
    expect(() => requireCertificates(dir, registration, withKey)).toThrow(/tls\.key does not belong to .*tls\.crt$/);
    writeFileSync(key, fixture('key-encrypted-pkcs8.pem'));
    expect(() => requireCertificates(dir, registration, withKey)).toThrow(/tls\.key: the private key is encrypted/);
  });
});

describe('certificates that do not fit', () => {
  const refusal = (dir: string, of = registration, at = now): unknown => {
    try {
      requireCertificates(dir, of, { withKey: false, now: at });
    } catch (error) {
      return error;
    }
    return undefined;
  };

  test.each([
    ['names', having('dnsNames: [api.example.com]', 'ipAddresses: [192.0.2.1]'), now, 'not for api.example.com, 192.0.2.1'],
    ['an age', registration, inDays(11), 'expired on 2026-06-25'],
    ['a time to come', registration, inDays(-1), /^not valid before 2026-06-15T11:.*; its CA CN=CA in .*ca\.crt: not valid before/],
    [
      'a CA that is too old as well',
      registration,
      inDays(101),
      /^expired on 2026-06-25; its CA CN=CA in .*ca\.crt: expired on 2026-09-23$/,
    ],
  ])('%s: one line with the file and every fault', (_, of, at, faults) => {
    const dir = project();
    const { certificate, configuration } = projectFiles(dir);
    const error = refusal(dir, of, at) as Error;
    expect(error).toMatchObject({ name: 'UsageError', fix: 'Make new ones: apisvc init --force-keys' });
    const start = `${certificate} does not fit ${configuration}: `;
    expect(error.message.slice(0, start.length)).toBe(start);
    if (typeof faults === 'string') expect(error.message.slice(start.length)).toBe(faults);
    else expect(error.message.slice(start.length)).toMatch(faults);
  });

  test('another CA beside it, and how to get new ones from a CA that is given', async () => {
    const dir = project();
    const other = await createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 100 * day, now });
    writeFileSync(projectFiles(dir).caCertificate, other.certificates);
    expect(refusal(dir, having('issuer: {type: ca}'))).toMatchObject({
      message: expect.stringMatching(/apisvc\.yaml: .*ca\.crt did not sign it$/),
      fix: 'Make new ones: apisvc init --force-keys --ca-cert FILE --ca-key FILE',
    });
  });

  test('a key of another type serves as well', () => {
    expect(refusal(project(), having('keyType: rsa-4096'))).toBeUndefined();
  });
});

describe('keeping what is there', () => {
  test('is fine where nothing has changed', () => {
    expect(reasonsAgainstKeeping(project(), registration, now)).toEqual([]);
  });

  test('is refused for other names, another key type, and damaged files', () => {
    const dir = project();
    expect(reasonsAgainstKeeping(dir, having('keyType: rsa-2048', 'dnsNames: [a.example.com]'), now)).toEqual([
      'not for a.example.com',
      'the key is ecdsa-p256, not rsa-2048',
    ]);
    writeFileSync(projectFiles(dir).key, 'precious');
    expect(reasonsAgainstKeeping(dir, registration, now)).toEqual([expect.stringContaining('tls.key: the key file holds no private key')]);
  });
});

describe('the key of a CA that was replaced', () => {
  test('is removed, once', () => {
    const dir = project();
    const { caKey } = projectFiles(dir);
    const given = join(dir, 'given.key');
    writeFileSync(given, authority.key.reveal());
    expect(removeReplacedAuthorityKey(dir, given)).toBe(caKey);
    expect(existsSync(caKey)).toBe(false);
    expect(removeReplacedAuthorityKey(dir, given)).toBeUndefined();
  });

  test('stays where it is the one that was given, also by another path', () => {
    const dir = project();
    const { caKey } = projectFiles(dir);
    symlinkSync(caKey, join(dir, 'link.key'));
    for (const given of [caKey, join(dir, 'link.key')]) expect(removeReplacedAuthorityKey(dir, given)).toBeUndefined();
    expect(existsSync(caKey)).toBe(true);
  });
});

test('no project', () => {
  const dir = folder();
  expect([isProject(dir), hasKeys(dir)]).toEqual([false, false]);
  expect(() => readRegistration(dir)).toThrow(`there is no project here: ${join(dir, 'apisvc.yaml')} does not exist`);
  mkdirSync(join(dir, 'apisvc.yaml'));
  expect(() => readRegistration(dir)).toThrow('it is a directory');
});
