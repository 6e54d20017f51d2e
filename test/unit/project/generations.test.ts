import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createAuthority } from '../../../src/pki/authority.ts';
import { readCertificates } from '../../../src/project/certificates.ts';
import {
  discardNext,
  finishPromotion,
  promoteNext,
  readNext,
  recover,
  refuseDuringRotation,
  refuseMount,
  writeNext,
} from '../../../src/project/generations.ts';
import type { CertificatesToWrite } from '../../../src/project/project.ts';
import { day, now } from '../pki/certificates.ts';
import { newCa, newLeaf, newLeafOnly, otherCa, otherLeaf, renewed, setOf } from './certificate-sets.ts';
import { contents, folder, modeOf } from './folder.ts';
import { authority, project, registration } from './sample.ts';

const withNext = (next: CertificatesToWrite = newCa): string => {
  const dir = project();
  writeNext(dir, next);
  return dir;
};
const text = (dir: string, ...path: string[]): string => readFileSync(join(dir, ...path), 'utf8');
const request = { withKey: true, now };

describe('the next set', () => {
  test('is whole, with closed keys, and the set in use stays', () => {
    const dir = project();
    const before = text(dir, 'certs', 'tls.crt');
    writeFileSync(join(dir, 'certs', '.gitignore'), '*.key\nmine\n');
    expect(readNext(dir, registration, request)).toBeUndefined();
    writeNext(dir, newCa);
    expect(contents(join(dir, 'certs', 'next'))).toEqual(['.gitignore', 'ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
    expect(modeOf(join(dir, 'certs', 'next', 'tls.key'))).toBe(0o600);
    expect(text(dir, 'certs', 'next', '.gitignore')).toBe('*.key\nmine\n');
    expect(text(dir, 'certs', 'tls.crt')).toBe(before);
    expect(readNext(dir, registration, request)).toMatchObject({ chain: otherLeaf.certificates, faults: [] });
  });

  test('is never replaced by another', () => {
    const dir = withNext();
    expect(() => writeNext(dir, newLeaf)).toThrow(`a rotation is in progress: ${join(dir, 'certs', 'next')} exists`);
    expect(readNext(dir, registration, request)?.chain).toBe(otherLeaf.certificates);
    expect(() => refuseDuringRotation(dir)).toThrow('a rotation is in progress');
  });

  test('can be discarded, more than once', () => {
    const dir = withNext();
    discardNext(dir);
    discardNext(dir);
    expect(contents(dir)).toEqual(contents(project()));
    refuseDuringRotation(dir);
  });
});

describe('promoting the next set', () => {
  test('replaces the old set with its keys, and keeps other files and the mode of the directory', () => {
    const dir = project();
    writeFileSync(join(dir, 'certs', 'README'), 'mine');
    mkdirSync(join(dir, 'certs', 'mine'));
    chmodSync(join(dir, 'certs'), 0o700);
    writeNext(dir, newCa);
    promoteNext(dir);
    expect(readCertificates(dir, registration, request)).toMatchObject({ chain: otherLeaf.certificates, faults: [] });
    expect(text(dir, 'certs', 'ca.key')).toBe(otherCa.key.reveal());
    expect(contents(dir).filter((name) => !name.startsWith('.apisvc') && name !== 'apisvc.yaml')).toEqual([
      'certs',
      ...['.gitignore', 'README', 'ca.crt', 'ca.key', 'mine', 'tls.crt', 'tls.key'].map((name) => `certs/${name}`),
    ]);
    expect(modeOf(join(dir, 'certs'))).toBe(0o700);
    promoteNext(dir);
    expect(text(dir, 'certs', 'tls.crt')).toBe(otherLeaf.certificates);
  });

  test.each([
    ['keeps the key of a CA that stays', setOf(authority, renewed, false), true],
    ['deletes the key of a CA that goes', setOf(otherCa, otherLeaf, false), false],
  ])('%s', (_, next, stays) => {
    const dir = withNext(next);
    promoteNext(dir);
    expect(existsSync(join(dir, 'certs', 'ca.key'))).toBe(stays);
  });

  test('keeps the key of a CA whose certificate is renewed or has other text around it', async () => {
    const renewedCa = await createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 200 * day, now });
    const dir = withNext(setOf(renewedCa, otherLeaf, false));
    writeFileSync(join(dir, 'certs', 'ca.key'), renewedCa.key.reveal());
    promoteNext(dir);
    expect(text(dir, 'certs', 'ca.key')).toBe(renewedCa.key.reveal());

    const edited = withNext(newLeafOnly);
    writeFileSync(join(edited, 'certs', 'ca.crt'), `The CA of demo\r\n${text(edited, 'certs', 'ca.crt').replaceAll('\n', '\r\n')}`);
    promoteNext(edited);
    expect(text(edited, 'certs', 'ca.key')).toBe(authority.key.reveal());
  });

  test('replaces the directory behind a link', () => {
    const dir = project();
    const elsewhere = join(folder(), 'vault');
    renameSync(join(dir, 'certs'), elsewhere);
    symlinkSync(elsewhere, join(dir, 'certs'));
    writeNext(dir, newLeaf);
    promoteNext(dir);
    expect(text(elsewhere, 'tls.crt')).toBe(renewed.certificates);
    expect(contents(elsewhere)).not.toContain('next');
  });

  test('is finished by recover, and readers say so until then', () => {
    const dir = withNext();
    renameSync(join(dir, 'certs', 'next'), join(dir, '.certs.new'));
    renameSync(join(dir, 'certs'), join(dir, '.certs.old'));
    expect(() => readCertificates(dir, registration, request)).toThrow('a rotation was interrupted while it replaced the directory');
    recover(dir);
    expect(readCertificates(dir, registration, request)).toMatchObject({ chain: otherLeaf.certificates, faults: [] });
  });
});

test('recover puts back the only set that is left, which another process moved away', () => {
  const dir = withNext();
  promoteNext(dir);
  renameSync(join(dir, 'certs'), join(dir, '.certs.old'));
  recover(dir);
  expect(readCertificates(dir, registration, request)).toMatchObject({ chain: otherLeaf.certificates, faults: [] });
});

test('recover deletes the keys that an interrupted discard left, which a command without the Lease leaves', () => {
  const dir = withNext();
  renameSync(join(dir, 'certs', 'next'), join(dir, 'certs', 'next.tmp'));
  finishPromotion(dir);
  expect(contents(join(dir, 'certs'))).toContain('next.tmp/ca.key');
  recover(dir);
  expect(contents(dir)).toEqual(contents(project()));
});

test.runIf(existsSync('/dev/shm'))('a mount point is refused, a directory is not', () => {
  const dir = project();
  refuseMount(dir);
  rmSync(join(dir, 'certs'), { recursive: true });
  symlinkSync('/dev/shm', join(dir, 'certs'));
  expect(() => refuseMount(dir)).toThrow('/dev/shm is a mount point, so a rotation cannot replace it');
});
