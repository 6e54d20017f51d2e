import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { contents, folder } from '../unit/project/folder.ts';
import { apisvc, bin, plainEnv, sampleProject } from './apisvc.ts';

/** A kubeconfig whose server refuses every connection. */
const kubeconfig = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
  contexts: [{ name: 'c', context: { cluster: 'c' } }],
  'current-context': 'c',
});

/** What a process that was killed while it replaced certs/ leaves, in the order of time. */
const killed: Record<string, (dir: string) => void> = {
  'before certs/ moved away': (dir) => renameSync(join(dir, 'certs/next'), join(dir, '.certs.new')),
  'before the new set moved to certs/': (dir) => {
    renameSync(join(dir, 'certs/next'), join(dir, '.certs.new'));
    renameSync(join(dir, 'certs'), join(dir, '.certs.old'));
  },
  'before the old set was deleted': (dir) => {
    renameSync(join(dir, 'certs'), join(dir, '.certs.old'));
    renameSync(join(dir, '.certs.old/next'), join(dir, 'certs'));
  },
};

async function interrupted(kill: (dir: string) => void): Promise<{ readonly cwd: string; readonly next: string }> {
  const cwd = folder();
  const dir = await sampleProject(cwd);
  const other = await sampleProject(folder(), 'other');
  renameSync(join(other, 'certs'), join(dir, 'certs/next'));
  const next = readFileSync(join(dir, 'certs/next/tls.crt'), 'utf8');
  kill(dir);
  writeFileSync(join(cwd, 'kubeconfig'), kubeconfig);
  return { cwd, next };
}

const run = (cwd: string, ...args: readonly string[]) =>
  apisvc([...args, '-C', 'demo', '--kubeconfig', 'kubeconfig', '--timeout', '5s'], { cwd });

describe.each(Object.entries(killed))('a rotation that was killed %s', (_, kill) => {
  test.each([[['rotate']], [['rotate', '--ca', '--soak', '1s']], [['rotate', '--abort']]])('is finished on disk by %j', async (args) => {
    const { cwd, next } = await interrupted(kill);
    const { code, stderr } = await run(cwd, ...args);
    expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('127.0.0.1:1') });
    expect(readFileSync(join(cwd, 'demo/certs/tls.crt'), 'utf8')).toBe(next);
    expect(contents(join(cwd, 'demo')).filter((name) => /next|\.certs/.test(name))).toEqual([]);
  });

  test.each([[['rotate', '--dry-run']], [['register', '--dry-run=client']]])('stays as it is with %j', async (args) => {
    const { cwd } = await interrupted(kill);
    const before = contents(cwd);
    await run(cwd, ...args);
    expect(contents(cwd)).toEqual(before);
  });
});

test.each([
  [
    'repeats the flags that select the cluster and the project',
    true,
    ', or roll back: apisvc rotate --kubeconfig=kubeconfig -C demo --abort',
  ],
  ['offers no way back where nothing has begun', false, '.'],
])('the fix after Ctrl-C %s', async (_, hasBegun, way) => {
  const server = createServer();
  const requested = once(server, 'request');
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close().closeAllConnections());
  const cwd = folder();
  const dir = await sampleProject(cwd);
  if (hasBegun) renameSync(join(await sampleProject(folder(), 'other'), 'certs'), join(dir, 'certs/next'));
  const { port } = server.address() as AddressInfo;
  writeFileSync(join(cwd, 'kubeconfig'), kubeconfig.replace('https://127.0.0.1:1', `http://127.0.0.1:${port}`));
  const running = execa(bin, ['rotate', '-C', 'demo', '--kubeconfig', 'kubeconfig'], {
    cwd,
    env: plainEnv,
    extendEnv: false,
    reject: false,
  });
  await requested;
  running.kill('SIGINT');
  expect(`${(await running).stderr}\n`).toContain(`\nfix: Run the same command again to continue${way}\n`);
});

test.each([
  ['is empty', []],
  ['has no key', ['ca.crt', 'tls.crt']],
  ['has no serving certificate', ['ca.crt', 'tls.key']],
])('certs/next that %s is refused, and certs/ stays', async (_, names) => {
  const cwd = folder();
  const dir = await sampleProject(cwd);
  writeFileSync(join(cwd, 'kubeconfig'), kubeconfig);
  mkdirSync(join(dir, 'certs/next'));
  for (const name of names) copyFileSync(join(dir, 'certs', name), join(dir, 'certs/next', name));
  const before = contents(join(dir, 'certs'));
  for (const args of [['rotate'], ['rotate', '--ca', '--soak', '1s'], ['rotate', '--dry-run']]) {
    expect(await run(cwd, ...args)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /certs\/next is incomplete or damaged\n[\s\S]*nothing was changed\nfix: .*: apisvc rotate .*-C demo.* --abort\n/,
      ),
    });
  }
  // The way back does not need it: it stops only where the cluster does not answer.
  expect(await run(cwd, 'rotate', '--abort')).toMatchObject({ code: 3 });
  expect(contents(join(dir, 'certs'))).toEqual(before);
});

test('certs/next that is a file is named as one', async () => {
  const cwd = folder();
  const dir = await sampleProject(cwd);
  writeFileSync(join(cwd, 'kubeconfig'), kubeconfig);
  writeFileSync(join(dir, 'certs/next'), '');
  expect(await run(cwd, 'rotate')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^error: demo\/certs\/next is a file, not a directory with certificates\nnothing was changed\nfix: /),
  });
});

test.each([[['rotate']], [['rotate', '--dry-run']], [['rotate', '--abort']], [['register']], [['status']], [['render']]])(
  'certs that is a file is named as one by %j',
  async (args) => {
    const cwd = folder();
    const dir = await sampleProject(cwd);
    rmSync(join(dir, 'certs'), { recursive: true });
    writeFileSync(join(dir, 'certs'), '');
    expect(await apisvc([...args, '-C', 'demo'], { cwd })).toMatchObject({
      code: 2,
      stderr: 'error: demo/certs is a file, not a directory\nfix: Move the file away: mv demo/certs demo/certs.old\n',
    });
  },
);
