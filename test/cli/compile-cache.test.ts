import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folder } from '../unit/project/folder.ts';
import { apisvc } from './apisvc.ts';

/** Runs a command twice and lists the compiled code that is kept. */

const own = `apisvc-${process.getuid?.()}`;

function files(tmp: string): string[] {
  const found = readdirSync(tmp, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return found.map(({ parentPath, name }) => join(parentPath, name)).sort();
}

test('compiled code is kept for the next run of the command, and stays as it is', async () => {
  const cwd = folder();
  const explain = () => apisvc(['explain', 'cert/expired'], { cwd, env: { TMPDIR: cwd } });
  const first = await explain();
  expect(first.code).toBe(0);
  const kept = files(cwd);
  expect(kept.map((path) => path.replace(/.*\//, ''))).toContain('main.cjs');
  expect(statSync(join(cwd, own)).mode & 0o777).toBe(0o700);
  const inodes = () => files(cwd).map((path) => statSync(path).ino);
  const before = inodes();
  expect(await explain()).toEqual(first);
  expect(inodes()).toEqual(before);
});

test('damaged code is not run, and is replaced', async () => {
  const cwd = folder();
  const help = () => apisvc(['--help'], { cwd, env: { TMPDIR: cwd } });
  const first = await help();
  const [path = ''] = files(cwd);
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0x5a, 500, 5_000));
  expect(await help()).toEqual(first);
  expect(readFileSync(path).includes(Buffer.alloc(4_500, 0x5a))).toBe(false);
});

test('code of other builds is removed after an hour', async () => {
  const cwd = folder();
  const help = () => apisvc(['--help'], { cwd, env: { TMPDIR: cwd } });
  for (const [name, hoursAgo] of [
    ['old-build', 2],
    ['new-build', 0],
  ] as const) {
    const path = join(cwd, own, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const then = Date.now() / 1000 - hoursAgo * 3_600;
    utimesSync(path, then, then);
  }
  await help();
  const kept = readdirSync(join(cwd, own));
  expect(kept).toHaveLength(2);
  expect(kept).toContain('new-build');
});

test('a directory that others can write to is not used', async () => {
  const cwd = folder();
  const run = () => apisvc(['--version'], { cwd, env: { TMPDIR: cwd } });
  await run();
  expect(files(cwd)).not.toEqual([]);
  for (const path of files(cwd)) writeFileSync(path, 'other code');
  chmodSync(join(cwd, own), 0o777);
  expect((await run()).code).toBe(0);
  expect(files(cwd).map((path) => readFileSync(path, 'utf8'))).toEqual(files(cwd).map(() => 'other code'));
});

test('nothing is kept for an unknown command or with NODE_DISABLE_COMPILE_CACHE', async () => {
  const cwd = folder();
  expect((await apisvc(['unknown'], { cwd, env: { TMPDIR: cwd } })).code).toBe(2);
  expect((await apisvc(['--version'], { cwd, env: { TMPDIR: cwd, NODE_DISABLE_COMPILE_CACHE: '1' } })).code).toBe(0);
  expect(files(cwd)).toEqual([]);
});
