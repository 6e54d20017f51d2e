import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  hasKeys,
  isProject,
  projectFiles,
  readRegistration,
  removeReplacedAuthorityKey,
  writeProject,
} from '../../../src/project/project.ts';
import { contents, folder, modeOf } from './folder.ts';
import { authority, project } from './sample.ts';

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
    expect(readFileSync(projectFiles(dir).ignore, 'utf8')).toMatch(/\n\*\.key\n(?:.*\n)*next\/\n/);
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
  expect(() => readRegistration(dir)).toThrow(`${join(dir, 'apisvc.yaml')} not found`);
  mkdirSync(join(dir, 'apisvc.yaml'));
  expect(() => readRegistration(dir)).toThrow(/apisvc\.yaml: it is a directory$/);
});
