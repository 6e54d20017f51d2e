import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { repositoryName, repositoryUrl } from '../../scripts/release/repository.mjs';
import { plainEnv, root } from '../cli/apisvc.ts';
import { startSandbox } from '../sandbox/harness.ts';
import { serveRelease } from './server.ts';

/** The steps of action.yml, with the variables that GitHub sets. */

interface Step {
  readonly run?: string;
  readonly if?: string;
  readonly env?: Readonly<Record<string, string>>;
}
interface Action {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly runs: { readonly steps: readonly Step[] };
}

const action = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as Action;
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const archive = `apisvc-${version}-linux-x64.tar.gz`;
const release = inject('release');
const folder = mkdtempSync(join(tmpdir(), 'apisvc-action-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A checkout of the action, whose package.json names a repository. */
function checkout(repository: string): string {
  const path = mkdtempSync(join(folder, 'checkout-'));
  writeFileSync(join(path, 'package.json'), readFileSync(join(root, 'package.json'), 'utf8').replace(repositoryUrl, repository));
  cpSync(join(root, 'action'), join(path, 'action'), { recursive: true });
  return path;
}
const repository = await serveRelease(release, version);
const actionPath = checkout(repository);

/** Variables with a gh in the PATH that writes its arguments to a file. */
function withGh(exitCode: number): { readonly PATH: string; readonly GITHUB_SERVER_URL: string; readonly SAID: string } {
  const bin = mkdtempSync(join(folder, 'gh-'));
  writeFileSync(join(bin, 'gh'), `#!/bin/sh\necho "$GH_TOKEN $*" >"$SAID"; exit ${exitCode}\n`);
  chmodSync(join(bin, 'gh'), 0o755);
  return { PATH: `${bin}:${plainEnv.PATH}`, GITHUB_SERVER_URL: new URL(repository).origin, SAID: join(bin, 'said') };
}

interface JobOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly path?: string;
  /** The first step; 1 if apisvc is installed. */
  readonly first?: 0 | 1;
}

/** Runs the steps as a job does: until one fails, each with the PATH that earlier ones extended. */
async function runAction(given: Readonly<Record<string, string>>, { env = {}, path = actionPath, first = 0 }: JobOptions = {}) {
  const cwd = mkdtempSync(join(folder, 'job-'));
  const files = ['GITHUB_PATH', 'GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY'].map((name) => [name, join(cwd, name)] as const);
  for (const [name, file] of files) writeFileSync(file, name === 'GITHUB_PATH' && first === 1 ? dirname(inject('executable')) : '');
  const read = (name: string): string => readFileSync(join(cwd, name), 'utf8');
  const input = (name: string): string => given[name] ?? action.inputs[name]?.default ?? '';
  const github = { GITHUB_ACTION_PATH: path, GITHUB_SERVER_URL: new URL(repositoryUrl).origin, GITHUB_ACTIONS: 'true' };
  const job = { ...github, RUNNER_OS: 'Linux', RUNNER_ARCH: 'X64', RUNNER_TEMP: cwd, CI: 'true' };
  let code: number | undefined = 0;
  let stdout = '';
  for (const step of action.runs.steps.slice(first)) {
    const isSkipped = step.if === "inputs.command != ''" && input('command') === '';
    if (step.run === undefined || isSkipped || code !== 0) continue;
    const own = Object.entries(step.env ?? {}).map(([name, value]) => [
      name,
      value.replace(/\$\{\{ inputs\.(\w+) \}\}/g, (_, key) => input(key)).replace(/\$\{\{ github\.token \}\}/, 'the-token'),
    ]);
    const PATH = [...read('GITHUB_PATH').trim().split('\n').filter(Boolean), plainEnv.PATH].join(':');
    const ran = await execa('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], {
      cwd: root,
      env: { ...job, ...Object.fromEntries([...files, ...own]), HOME: cwd, PATH, ...env },
      extendEnv: false,
      reject: false,
      stdin: 'ignore',
    });
    code = ran.exitCode;
    stdout += `${ran.stdout}\n`;
  }
  return { code, stdout, cwd, output: read('GITHUB_OUTPUT'), summary: read('GITHUB_STEP_SUMMARY'), path: read('GITHUB_PATH') };
}

test('without a command, apisvc is installed, after gh has verified who made it', async () => {
  const env = withGh(0);
  const { code, cwd, path, summary } = await runAction({}, { env });
  expect({ code, path, summary }).toEqual({ code: 0, path: `${cwd}/apisvc-${version}\n`, summary: '' });
  expect((await execa(join(path.trim(), 'apisvc'), ['--version'])).stdout).toBe(version);
  const workflow = `${repositoryName}/.github/workflows/release.yml`;
  expect(readFileSync(env.SAID, 'utf8')).toBe(
    `the-token attestation verify ${archive} --repo ${repositoryName} --signer-workflow ${workflow} --source-ref refs/tags/v${version}\n`,
  );
  expect(existsSync(join(root, '.github', 'workflows', 'release.yml'))).toBe(true);
});

test('an archive that gh does not verify is not installed', async () => {
  const { code, path, stdout } = await runAction({}, { env: withGh(1) });
  expect({ code, path }).toEqual({ code: 2, path: '' });
  expect(stdout).toContain(`::error title=apisvc::provenance of ${archive} not verified`);
});

test('without gh, the checksum alone decides, and a notice says so', async () => {
  const bin = mkdtempSync(join(folder, 'no-gh-'));
  for (const name of ['bash', 'sed', 'mkdir', 'curl', 'grep', 'sha256sum', 'tar', 'gzip', 'rm']) {
    symlinkSync((await execa('sh', ['-c', `command -v ${name}`])).stdout, join(bin, name));
  }
  const { code, path, stdout } = await runAction({}, { env: { ...withGh(0), PATH: bin } });
  expect({ code, path }).toEqual({ code: 0, path: expect.stringContaining('apisvc-') });
  expect(stdout).toContain('::notice title=apisvc::provenance not verified: GitHub CLI (gh) is not installed');
});

test('verify of a cluster', async () => {
  const { env, end } = await startSandbox([], folder);
  const { code, summary } = await runAction({ command: 'verify', args: 'v1alpha1.demo.apisvc.dev\n--strict' }, { env, first: 1 });
  expect({ code, summary }).toEqual({ code: 0, summary: expect.stringContaining('v1alpha1.demo.apisvc.dev') });
  await end('SIGINT');
});

test('lint: annotations, the step summary, and a log for code scanning', async () => {
  const file = 'test/fixtures/lint/F01-key-mismatch.yaml';
  const { code, stdout, summary, output } = await runAction({ command: 'lint', args: file, sarif: 'true' }, { first: 1 });
  expect({ code, stdout }).toMatchObject({ code: 1, stdout: expect.stringMatching(/^::error .*F01-key-mismatch\.yaml/m) });
  expect(summary).toContain('security/key-mismatch');
  const { runs } = JSON.parse(readFileSync(/^sarif=(.*)$/m.exec(output)?.[1] ?? '', 'utf8'));
  expect(runs[0].results.length).toBeGreaterThan(0);
});

test('a command that ends with an error uploads nothing', async () => {
  const { code, stdout, output } = await runAction({ command: 'lint', args: 'missing.yaml', sarif: 'true' }, { first: 1 });
  expect({ code, stdout, output }).toEqual({ code: 2, stdout: expect.stringContaining('::error'), output: '' });
});

test('arguments are not run by the shell', async () => {
  const { code, stdout } = await runAction({ command: 'lint', args: '$(id) `id` ; *' }, { first: 1 });
  expect({ code, stdout }).toMatchObject({ code: 2, stdout: expect.stringContaining('$(id)') });
});

test.each([
  ['an unknown command', { command: 'rotate' }, { first: 1 }, 'unknown command "rotate"'],
  ['a command with line ends', { command: 'x\n::warning::y' }, { first: 1 }, 'unknown command "x???warning??y": '],
  ['a version that is none', { version: '1.0/../x' }, {}, 'invalid version "1.0?..?x"'],
  ['a version that does not exist', { version: 'v9.9.9' }, {}, 'download failed: http'],
  ['a platform without an executable', {}, { env: { RUNNER_ARCH: 'ARM' } }, 'no executable for Linux ARM'],
] as const)('%s is an error', async (_, given, options, message) => {
  const { code, stdout } = await runAction(given, options);
  expect({ code, stdout }).toEqual({ code: 2, stdout: expect.stringContaining(`::error title=apisvc::${message}`) });
});

test('an archive with another checksum is not installed', async () => {
  const other = join(folder, 'other');
  mkdirSync(other);
  symlinkSync(join(release, archive), join(other, archive));
  copyFileSync(join(release, 'checksums.txt'), join(other, 'checksums.txt'));
  const sums = readFileSync(join(other, 'checksums.txt'), 'utf8');
  writeFileSync(join(other, 'checksums.txt'), sums.replace(/^[0-9a-f]{4}/gm, '0000'));
  const { code, stdout, path } = await runAction({}, { path: checkout(await serveRelease(other, version)) });
  expect({ code, path }).toEqual({ code: 2, path: '' });
  expect(stdout).toContain('does not match that of the release');
});
