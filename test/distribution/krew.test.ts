import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { findComponents } from '../../scripts/components.mjs';
import { plainEnv } from '../cli/apisvc.ts';
import { startSandbox } from '../sandbox/harness.ts';

/** krew installs the executable of a release as a plugin of kubectl. */

const release = inject('release');
const manifest = join(release, 'apisvc.yaml');
const { programs } = findComponents();
const folder = mkdtempSync(join(tmpdir(), 'apisvc-krew-'));
const tools = join(folder, 'tools');
const krewBin = join(folder, 'krew', 'bin');
const env = { PATH: `${tools}:${krewBin}:${plainEnv.PATH}`, HOME: folder, KREW_ROOT: join(folder, 'krew') };
const run = (program: string, args: readonly string[], more = {}) =>
  execa(program, args, { cwd: folder, env: { ...env, ...more }, extendEnv: false, stdin: 'ignore' });

beforeAll(async () => {
  mkdirSync(tools);
  symlinkSync(programs['kubernetes-1.37']?.kubectl ?? '', join(tools, 'kubectl'));
  symlinkSync(programs.krew?.krew ?? '', join(tools, 'kubectl-krew'));
  const archive = join(release, readdirSync(release).find((name) => name.endsWith('-linux-x64.tar.gz')) ?? '');
  await run('kubectl', ['krew', 'install', '--manifest', manifest, '--archive', archive]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('validate-krew-manifest accepts the manifest', async () => {
  const { stderr } = await run(programs.krew?.['validate-krew-manifest'] ?? '', ['-manifest', manifest, '-skip-install']);
  expect(stderr).toContain('structural validation OK');
});

test('kubectl apisvc verify', async () => {
  const { env: kubeconfig, end } = await startSandbox([], folder);
  const { stdout } = await run('kubectl', ['apisvc', 'verify', 'v1alpha1.demo.apisvc.dev', '-o', 'short'], kubeconfig);
  expect(stdout).toBe('✓ v1alpha1.demo.apisvc.dev healthy');
  await end('SIGINT');
});

test('kubectl completes apisvc after the command of the caveats', async () => {
  const command = /^ +(ln -s .*)$/m.exec(readFileSync(manifest, 'utf8'))?.[1] ?? '';
  await run('sh', ['-c', command]);
  expect((await run('kubectl', ['__complete', 'apisvc', 'ver'])).stdout).toMatch(/^verify\t/);
});
