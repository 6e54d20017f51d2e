import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createAuthority } from '../../../src/pki/authority.ts';
import { issueServing } from '../../../src/pki/leaf.ts';
import type { Authority, Leaf } from '../../../src/pki/types.ts';
import {
  certificatesFit,
  hasKeys,
  isProject,
  projectFiles,
  readMaterial,
  readRegistration,
  writeProject,
} from '../../../src/project/project.ts';
import { fixture, now } from '../pki/certificates.ts';
import { contents, folder, modeOf } from './folder.ts';

const day = 86_400_000;
const names = { dns: ['api.wardle.svc'], ip: [] };
let authority: Authority;
let leaf: Leaf;
beforeAll(async () => {
  authority = await createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 100 * day, now });
  leaf = await issueServing({ authority, names, keyType: 'ecdsa-p256', lifetimeMs: 10 * day, now });
});

const project = (keepAuthorityKey = true): string => {
  const dir = join(folder(), 'demo');
  writeProject(dir, { configuration: 'kind: Registration\n', schema: '{}', certificates: { authority, leaf, keepAuthorityKey } });
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
    expect(readMaterial(dir, { withKey: true }).key?.reveal()).toBe(leaf.key.reveal());
    expect(readMaterial(dir, { withKey: false })).toEqual({ caBundle: authority.certificates, certificates: leaf.certificates });
  });

  test('text around a certificate does not matter', () => {
    const dir = project();
    const { certificate } = projectFiles(dir);
    writeFileSync(certificate, `-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\nsubject=x\n${leaf.certificates}`);
    expect(readMaterial(dir, { withKey: true }).key?.reveal()).toBe(leaf.key.reveal());
  });

  test.each([
    ['certificate', 'certs/tls.crt holds no certificate'],
    ['caCertificate', 'certs/ca.crt holds no certificate'],
    ['key', 'certs/tls.key: the key file holds no private key'],
  ] as const)('an empty %s', (file, message) => {
    const dir = project();
    writeFileSync(projectFiles(dir)[file], '');
    expect(() => readMaterial(dir, { withKey: true })).toThrow(
      expect.objectContaining({ name: 'UsageError', message: join(dir, message) }),
    );
  });

  test('a key of another certificate, or one that is encrypted', () => {
    const dir = project();
    const { key } = projectFiles(dir);
    writeFileSync(key, authority.key.reveal());
    expect(() => readMaterial(dir, { withKey: true })).toThrow(/tls\.key does not belong to .*tls\.crt$/);
    writeFileSync(key, fixture('key-encrypted-pkcs8.pem'));
    expect(() => readMaterial(dir, { withKey: true })).toThrow(/tls\.key: the private key is encrypted/);
  });

  test('fit for names and a time', () => {
    const dir = project();
    const names = (...dns: string[]) => ({ dns, ip: [] });
    expect(certificatesFit(dir, names('api.wardle.svc'), now)).toBe(true);
    expect(certificatesFit(dir, names('api.wardle.svc', 'api.other.svc'), now)).toBe(false);
    expect(certificatesFit(dir, { dns: ['api.wardle.svc'], ip: ['192.0.2.1'] }, now)).toBe(false);
    expect(certificatesFit(dir, names('api.wardle.svc'), new Date(now.getTime() + 11 * day))).toBe(false);
    rmSync(projectFiles(dir).certificate);
    expect(certificatesFit(dir, names('api.wardle.svc'), now)).toBe(false);
  });
});

test('no project', () => {
  const dir = folder();
  expect([isProject(dir), hasKeys(dir)]).toEqual([false, false]);
  expect(() => readRegistration(dir)).toThrow(`there is no project here: ${join(dir, 'apisvc.yaml')} does not exist`);
  mkdirSync(join(dir, 'apisvc.yaml'));
  expect(() => readRegistration(dir)).toThrow('it is a directory');
});
