import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { repositoryUrl } from '../../scripts/release/repository.mjs';
import { plainEnv, root } from '../cli/apisvc.ts';
import { serveRelease } from './server.ts';

/** The npm package of a release, as npm installs it from its URL. It has no dependencies. */

const release = inject('release');
const folder = mkdtempSync(join(tmpdir(), 'apisvc-npm-'));
const archive = join(release, readdirSync(release).find((name) => name.endsWith('.tgz')) ?? '');
const bin = join(folder, 'bin');
const env = { PATH: `${bin}:${plainEnv.PATH}`, HOME: folder, npm_config_update_notifier: 'false' };
const run = (program: string, ...args: string[]) => execa(program, args, { cwd: folder, env, extendEnv: false });

beforeAll(async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const [, url = ''] = /^npm install -g (https:\S+)$/m.exec(readFileSync(join(root, 'docs', 'install.md'), 'utf8')) ?? [];
  await run('npm', 'install', '--global', '--prefix', folder, url.replace(repositoryUrl, await serveRelease(release, version)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('npm install --global installs apisvc and the plugin of kubectl', async () => {
  expect(readdirSync(bin).sort()).toEqual(['apisvc', 'kubectl-apisvc', 'kubectl_complete-apisvc']);
  expect((await run('apisvc', '--help')).stdout).toContain('Usage: apisvc');
  expect((await run('kubectl-apisvc', 'explain', 'cert/expired')).stdout).toContain('fix:');
  expect((await run('kubectl_complete-apisvc', 'ver')).stdout).toContain('verify');
});

test('npx runs apisvc', async () => {
  expect((await run('npx', '--yes', '--package', archive, 'apisvc', 'init', 'demo', '--preset', 'demo', '--yes')).stdout).toContain(
    'created demo/apisvc.yaml',
  );
});

test('npm publish --dry-run accepts the package', async () => {
  expect((await run('npm', 'publish', '--dry-run', archive)).stdout).toMatch(/^\+ apisvc@\d/m);
});
