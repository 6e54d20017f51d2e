import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readManifests, removeSecret, writeManifests } from '../../../src/project/manifests.ts';
import { contents, folder, modeOf } from './folder.ts';

const files = [
  { path: '010-namespace.yaml', text: 'kind: Namespace\n', private: false },
  { path: '040-secret.yaml', text: 'kind: Secret\n', private: true },
];

describe('writing', () => {
  test('keeps the Secret to its owner and out of git', () => {
    const dir = join(folder(), 'manifests');
    expect(writeManifests(dir, files)).toEqual(['010-namespace.yaml', '040-secret.yaml']);
    expect(contents(dir)).toEqual(['.gitignore', '010-namespace.yaml', '040-secret.yaml']);
    expect(modeOf(join(dir, '040-secret.yaml'))).toBe(0o600);
    expect(readFileSync(join(dir, '.gitignore'), 'utf8')).toBe('# Contains a private key.\n040-secret.yaml\n');
  });

  test('adds to an existing .gitignore, once', () => {
    const dir = folder();
    writeFileSync(join(dir, '.gitignore'), 'node_modules');
    writeManifests(dir, files);
    writeManifests(dir, files);
    expect(readFileSync(join(dir, '.gitignore'), 'utf8')).toBe('node_modules\n# Contains a private key.\n040-secret.yaml\n');
  });

  test('without a Secret there is nothing to ignore', () => {
    const dir = folder();
    writeManifests(dir, files.slice(0, 1));
    expect(contents(dir)).toEqual(['010-namespace.yaml']);
  });
});

test('the Secret of an earlier render is removed, and nothing else', () => {
  const dir = folder();
  writeManifests(dir, files);
  expect(removeSecret(dir)).toBe(join(dir, '040-secret.yaml'));
  expect(contents(dir)).toEqual(['.gitignore', '010-namespace.yaml']);
  expect(removeSecret(dir)).toBeUndefined();
});

describe('reading', () => {
  test('a file is named as it was given', () => {
    const dir = folder();
    writeFileSync(join(dir, 'a.yaml'), 'a');
    expect(readManifests(join(dir, 'a.yaml'))).toEqual({ texts: [{ file: join(dir, 'a.yaml'), text: 'a' }], unread: [] });
  });

  test.each([
    ['UTF-8', Buffer.from('\ufeffa: ü')],
    ['UTF-16', Buffer.from('\ufeffa: ü', 'utf16le')],
    ['UTF-16, big-endian', Buffer.from('\ufeffa: ü', 'utf16le').swap16()],
  ])('a byte order mark tells %s', (_, bytes) => {
    const dir = folder();
    writeFileSync(join(dir, 'a.yaml'), bytes);
    expect(readManifests(join(dir, 'a.yaml')).texts.map(({ text }) => text)).toEqual(['a: ü']);
  });

  test('of a directory YAML and JSON count, in order, not what is below', () => {
    const dir = folder();
    mkdirSync(join(dir, 'm', 'below'), { recursive: true });
    for (const name of ['b.json', 'a.yaml', 'c.yml', 'README.md', 'below/d.yaml']) writeFileSync(join(dir, 'm', name), name);
    expect(readManifests(join(dir, 'm')).texts.map(({ text }) => text)).toEqual(['a.yaml', 'b.json', 'c.yml']);
    expect(readManifests(join(dir, 'm'), true).texts.map(({ text }) => text)).toEqual(['a.yaml', 'b.json', 'below/d.yaml', 'c.yml']);
  });

  test('a file that cannot be read does not hide the others', () => {
    const dir = folder();
    writeFileSync(join(dir, 'a.yaml'), Buffer.from([0xff]));
    writeFileSync(join(dir, 'b.yaml'), 'b');
    const { texts, unread } = readManifests(dir);
    expect(texts.map(({ text }) => text)).toEqual(['b']);
    expect(unread.map(({ fault }) => fault)).toEqual([{ file: join(dir, 'a.yaml'), kind: 'unreadable', words: 'it is not UTF-8 text' }]);
  });

  test('the files of a kustomization are left to kustomize', () => {
    const dir = folder();
    mkdirSync(join(dir, 'base'));
    for (const name of ['a.yaml', 'base/kustomization.yaml', 'base/patch.yaml']) writeFileSync(join(dir, name), name);
    const { texts, unread } = readManifests(dir, true);
    expect(texts.map(({ text }) => text)).toEqual(['a.yaml']);
    expect(unread).toMatchObject([{ fault: { file: join(dir, 'base', 'kustomization.yaml'), kind: 'kustomization' } }]);
  });

  test('what is not there is named', () => {
    expect(readManifests('nope.yaml').unread[0]?.error?.message).toBe('failed to read nope.yaml: no such file or directory');
  });
});
