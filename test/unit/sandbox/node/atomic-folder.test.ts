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
const seen = () => readdirSync(folder).filter((name) => !name.startsWith('..'));

test('files are there, for their owner alone, and change all at once', async () => {
  await writeFolder(folder, files({ 'tls.crt': 'one', 'tls.key': 'one', 'deep/a': 'x' }));
  expect(seen().sort()).toEqual(['deep', 'tls.crt', 'tls.key']);
  expect(readFileSync(join(folder, 'deep/a'), 'utf8')).toBe('x');
  expect([statSync(join(folder, 'tls.key')).mode & 0o777, statSync(join(folder, '..data')).mode & 0o777]).toEqual([0o600, 0o700]);

  const before = readlinkSync(join(folder, '..data'));
  await writeFolder(folder, files({ 'tls.crt': 'two', 'tls.key': 'two' }));
  expect(seen().sort()).toEqual(['tls.crt', 'tls.key']);
  expect(readFileSync(join(folder, 'tls.crt'), 'utf8')).toBe('two');
  // Who watches the file sees it go.
  expect(readdirSync(folder)).not.toContain(before);
  expect(lstatSync(join(folder, 'tls.crt')).isSymbolicLink()).toBe(true);
});

test('a reader never sees the certificate of one state and the key of another', async () => {
  await writeFolder(folder, files({ 'tls.crt': '0', 'tls.key': '0' }));
  const read = (data: string): string[] => ['tls.crt', 'tls.key'].map((name) => readFileSync(join(folder, data, name), 'utf8'));
  for (let state = 1; state < 20; state++) {
    const writing = writeFolder(folder, files({ 'tls.crt': String(state), 'tls.key': String(state) }));
    const [certificate, key] = read(readlinkSync(join(folder, '..data')));
    expect(certificate).toBe(key);
    await writing;
  }
  expect(read('..data')).toEqual(['19', '19']);
});

test.each(['../evil', 'a/../../evil', '/evil', '..'])('nothing is written outside: %s', async (path) => {
  await expect(writeFolder(folder, files({ [path]: 'x' }))).rejects.toThrow('leads out of its volume');
  expect(seen()).toEqual([]);
});
