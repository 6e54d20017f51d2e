import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { secretName } from '../../../../src/config/registration.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import { prepare } from '../../../../src/operations/rotate/prepare.ts';
import type { RotateRequest } from '../../../../src/operations/rotation/request.ts';
import { serviceOf } from '../../../../src/operations/rotation/rotation.ts';
import { issueServing } from '../../../../src/pki/leaf.ts';
import { writeNext } from '../../../../src/project/generations.ts';
import { type CertificatesToWrite, projectFiles } from '../../../../src/project/project.ts';
import { answer, clusterOf } from '../../cluster/kube-api.ts';
import { day, now } from '../../pki/certificates.ts';
import { authority, leaf, names, project, registration } from '../../project/sample.ts';
import { issued, rotateRequest } from '../rotation/fixture.ts';
import { rejection } from '../waiting.ts';

/** What a rotation does with a certs/tls.key that it cannot use. */

const other = await issueServing({ authority, names, keyType: 'ecdsa-p256', lifetimeMs: 10 * day, now });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A cluster with the certificate of the project, and another key in the Secret if it is given. */
const clusterWith = (key = leaf.key) =>
  clusterOf(({ url }, response) => {
    const service = serviceOf({ registration });
    if (url.includes('/secrets/')) {
      const data = { 'tls.crt': base64(leaf.certificates), 'tls.key': base64(key.reveal()) };
      answer(response, 200, { metadata: { name: secretName(registration), namespace: service.namespace }, data });
    } else {
      const api = { metadata: { name: 'v1.example.com' }, spec: { service, caBundle: base64(authority.certificates) } };
      answer(response, 200, { metadata: { resourceVersion: '1' }, items: [api] });
    }
  });

const next: CertificatesToWrite = { issued: { ...issued, chain: other.certificates, key: other.key } };
const refuseToIssue = async (): Promise<CertificatesToWrite> => expect.fail('it is refused before a certificate is issued');

/** Prepares a rotation whose next certificates are on disk. */
async function preparing(dir: string, { abort = false, key = leaf.key, isBegun = true, issue = refuseToIssue } = {}) {
  const notes: Progress[] = [];
  if (isBegun) writeNext(dir, next);
  const more: Partial<RotateRequest> = {
    abort,
    issue,
    onProgress: (progress) => void (progress.kind === 'note' && notes.push(progress)),
  };
  const request = { ...rotateRequest(dir, more), now: () => now, renewLease: async () => {} };
  const prepared = prepare(await clusterWith(key), request, { journal: undefined });
  return { prepared, notes };
}

const keyOf = async (prepared: ReturnType<typeof prepare>): Promise<string | undefined> => {
  const planned = await prepared;
  return 'rotation' in planned ? (planned.rotation.direction === 'back' ? planned.rotation.to : planned.rotation.from)?.key?.reveal() : '';
};

const damaged: [string, (path: string) => void, string][] = [
  ['is empty', (path) => writeFileSync(path, ''), 'no private key found'],
  ['is cut off', (path) => writeFileSync(path, readFileSync(path, 'utf8').slice(0, 60)), 'the private key on line 1 is damaged'],
  ['has another key', (path) => writeFileSync(path, other.key.reveal()), 'the private key does not match the certificate'],
];

test.each(damaged)('a key file that %s is refused, and stays as it is', async (_, damage, reason) => {
  for (const isBegun of [true, false]) {
    const dir = project();
    const { key } = projectFiles(dir);
    damage(key);
    const before = readFileSync(key, 'utf8');
    const { prepared, notes } = await preparing(dir, { isBegun });
    const aside = join(dir, 'certs', 'tls.old.key');
    expect(await rejection(prepared)).toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(new RegExp(`^${key}: ${reason}[^\\n]*; a rotation would delete the file\\nnothing was changed$`)),
      fix: `Restore the file.\nOr move the file aside: mv ${key} ${aside}\nThen run the same command again to use the key in the Secret.`,
    });
    expect(readFileSync(key, 'utf8')).toBe(before);
    expect(JSON.stringify(notes)).not.toContain('not found');
  }
});

test('a key file that cannot be read is refused, and stays as it is', async () => {
  const dir = project();
  const { key } = projectFiles(dir);
  rmSync(key);
  mkdirSync(key);
  const { prepared } = await preparing(dir);
  expect(await rejection(prepared)).toMatchObject({
    message: `${key}: it is a directory; a rotation would delete the file\nnothing was changed`,
    fix: `Move the directory away: mv ${key} ${key}.old`,
  });
  expect(existsSync(key)).toBe(true);
});

test.each(damaged)('the way back uses the key of the Secret where the file %s, and keeps the file', async (_, damage, reason) => {
  const dir = project();
  const { key } = projectFiles(dir);
  damage(key);
  const before = readFileSync(key, 'utf8');
  const { prepared, notes } = await preparing(dir, { abort: true });
  expect(await keyOf(prepared)).toBe(leaf.key.reveal());
  expect(readFileSync(key, 'utf8')).toBe(before);
  expect(notes).toContainEqual({
    kind: 'note',
    what: expect.stringMatching(`^${key}: ${reason}.*; leaving the file unchanged, and using the key in Secret `),
  });
});

test('a key file that is missing is restored from the Secret, which has no other key', async () => {
  const dir = project();
  const { key } = projectFiles(dir);
  rmSync(key);
  const { prepared, notes } = await preparing(dir);
  expect(await keyOf(prepared)).toBe(leaf.key.reveal());
  expect(readFileSync(key, 'utf8')).toBe(leaf.key.reveal());
  expect(statSync(key).mode & 0o777).toBe(0o600);
  expect(notes).toContainEqual({ kind: 'note', what: expect.stringMatching(`^${key} not found; restored it from Secret `) });

  const lost = project();
  rmSync(projectFiles(lost).key);
  expect(await keyOf((await preparing(lost, { key: other.key })).prepared)).toBeUndefined();
  expect(existsSync(projectFiles(lost).key)).toBe(false);
});

test('a key file that fits stays where only the certificate was lost', async () => {
  const dir = project();
  const { key, certificate } = projectFiles(dir);
  rmSync(certificate);
  writeFileSync(key, `mine\n${leaf.key.reveal()}`);
  const { prepared } = await preparing(dir, { isBegun: false, issue: async () => next });
  expect(await keyOf(prepared)).toBe(leaf.key.reveal());
  expect(readFileSync(key, 'utf8')).toMatch(/^mine\n/);
});
