import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, expect, inject, test } from 'vitest';
import { findComponents } from '../../scripts/components.mjs';
import { krewManifest } from '../../scripts/release/krew.mjs';
import { sha256Of } from '../../scripts/release/node-binary.mjs';
import { repositoryUrl } from '../../scripts/release/repository.mjs';
import { targets } from '../../scripts/release/targets.mjs';
import { plainEnv, root } from '../cli/apisvc.ts';
import { startSandbox } from '../sandbox/harness.ts';
import { serveRelease } from './server.ts';

/** krew installs the executable of a release as a plugin of kubectl. */

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const release = inject('release');
const { programs } = findComponents();
const folder = mkdtempSync(join(tmpdir(), 'apisvc-krew-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const tools = join(folder, 'tools');
mkdirSync(tools);
symlinkSync(programs['kubernetes-1.37']?.kubectl ?? '', join(tools, 'kubectl'));
symlinkSync(programs.krew?.krew ?? '', join(tools, 'kubectl-krew'));
const env = {
  PATH: `${tools}:${join(folder, 'krew', 'bin')}:${plainEnv.PATH}`,
  HOME: folder,
  KREW_ROOT: join(folder, 'krew'),
};
const run = (program: string, args: readonly string[], more = {}) =>
  execa(program, args, { cwd: folder, env: { ...env, ...more }, extendEnv: false, stdin: 'ignore' });

/** A release of all platforms. Of its programs, only that for Linux x64 is whole. */
const whole = join(folder, 'whole');
mkdirSync(whole);
const repository = await serveRelease(whole, version);
const archives = targets.map((target) => {
  const file = `apisvc-${version}-${target.name}.tar.gz`;
  if (existsSync(join(release, file))) copyFileSync(join(release, file), join(whole, file));
  else makeStandIn(join(whole, file), target.os === 'windows' ? 'apisvc.exe' : 'apisvc');
  return { target, file, sha256: sha256Of(join(whole, file)) };
});
writeFileSync(join(whole, 'apisvc.yaml'), krewManifest({ version, repository }, archives));

/** Makes an archive with the same names as those of a release, and empty files. */
function makeStandIn(file: string, program: string): void {
  const work = mkdtempSync(join(folder, 'stand-in-'));
  const names = ['LICENSE', 'THIRD-PARTY-NOTICES.txt', program];
  for (const name of names) writeFileSync(join(work, name), '', { mode: 0o755 });
  execFileSync('tar', ['-czf', file, '-C', work, ...names]);
}

test('validate-krew-manifest installs every platform from its archive', async () => {
  const { stderr } = await run(programs.krew?.['validate-krew-manifest'] ?? '', ['-manifest', join(whole, 'apisvc.yaml')]);
  expect(stderr).toContain(`all ${targets.length} spec.platforms installed fine`);
});

test('krew installs the manifest and the archive of a release', async () => {
  const archive = join(release, readdirSync(release).find((name) => name.endsWith('-linux-x64.tar.gz')) ?? '');
  const apart = { KREW_ROOT: join(folder, 'apart') };
  await run('kubectl', ['krew', 'install', '--manifest', join(release, 'apisvc.yaml'), '--archive', archive], apart);
  expect((await run(join(apart.KREW_ROOT, 'bin', 'kubectl-apisvc'), ['--version'])).stdout).toBe(version);
});

test('the commands of docs/install.md', async () => {
  const page = readFileSync(join(root, 'docs', 'install.md'), 'utf8').replaceAll(repositoryUrl, repository);
  const commands = /^## krew\n[\s\S]*?^```sh\n([\s\S]*?)^kubectl apisvc verify --all\n```$/m.exec(page)?.[1] ?? '';
  // In place of the index that krew otherwise clones from GitHub.
  const commit = 'git -c user.name=krew -c user.email=krew@example.com commit --quiet --allow-empty --message index';
  await run('sh', ['-ec', `git init --quiet index && (cd index && ${commit}) && git clone --quiet index krew/index/default`]);
  await run('sh', ['-ec', commands]);
  const link = /^ +(ln -s .*)$/m.exec(readFileSync(join(whole, 'apisvc.yaml'), 'utf8'))?.[1];
  expect(commands, 'the link of the caveats').toContain(link);
  expect((await run('kubectl', ['__complete', 'apisvc', 'ver'])).stdout).toMatch(/^verify\t/);
  const { env: kubeconfig, end } = await startSandbox([], folder);
  const { stdout } = await run('kubectl', ['apisvc', 'verify', 'v1alpha1.demo.apisvc.dev', '-o', 'short'], kubeconfig);
  expect(stdout).toBe('✓ v1alpha1.demo.apisvc.dev healthy');
  await end('SIGINT');
});
