import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeFolder } from '../../../../src/sandbox/node/atomic-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'apisvc-unit-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const files = (entries: Record<string, string>) => new Map(Object.entries(entries).map(([path, text]) => [path, Buffer.from(text)]));
const visible = () => readdirSync(folder).filter((name) => !name.startsWith('..'));

test('files are readable only by their owner and change together', async () => {
  await writeFolder(folder, files({ 'tls.crt': 'one', 'tls.key': 'one', 'deep/a': 'x' }));
  expect(visible().sort()).toEqual(['deep', 'tls.crt', 'tls.key']);
  expect(readFileSync(join(folder, 'deep/a'), 'utf8')).toBe('x');
  expect([statSync(join(folder, 'tls.key')).mode & 0o777, statSync(join(folder, '..data')).mode & 0o777]).toEqual([0o600, 0o700]);

  const before = readlinkSync(join(folder, '..data'));
  await writeFolder(folder, files({ 'tls.crt': 'two', 'tls.key': 'two' }));
  expect(visible().sort()).toEqual(['tls.crt', 'tls.key']);
  expect(readFileSync(join(folder, 'tls.crt'), 'utf8')).toBe('two');
  // Servers watch for its removal.
  expect(readdirSync(folder)).not.toContain(before);
  expect(lstatSync(join(folder, 'tls.crt')).isSymbolicLink()).toBe(true);
});

test('a reader never gets the certificate of one version and the key of another', async () => {
  await writeFolder(folder, files({ 'tls.crt': '0', 'tls.key': '0' }));
  const read = (data: string): string[] => ['tls.crt', 'tls.key'].map((name) => readFileSync(join(folder, data, name), 'utf8'));
  for (let version = 1; version < 20; version++) {
    const writing = writeFolder(folder, files({ 'tls.crt': String(version), 'tls.key': String(version) }));
    const [certificate, key] = read(readlinkSync(join(folder, '..data')));
    expect(certificate).toBe(key);
    await writing;
  }
  expect(read('..data')).toEqual(['19', '19']);
});

test.each(['../evil', 'a/../../evil', '/evil', '..'])('nothing is written outside the volume: %s', async (path) => {
  await expect(writeFolder(folder, files({ [path]: 'x' }))).rejects.toThrow('is outside its volume');
  expect(visible()).toEqual([]);
});
