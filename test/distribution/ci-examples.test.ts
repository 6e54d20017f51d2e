import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { repositoryName, repositoryUrl } from '../../scripts/release/repository.mjs';
import { plainEnv, root } from '../cli/apisvc.ts';
import { startSandbox } from '../sandbox/harness.ts';
import { serveRelease } from './server.ts';

/** The commands of docs/ci.md and docs/install.md, with a sandbox and a release of this test. */

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'apisvc-ci-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const repository = await serveRelease(inject('release'), version);
const read = (page: string): string => readFileSync(join(root, 'docs', page), 'utf8').replaceAll(repositoryUrl, repository);
const page = read('ci.md');

/** The first code block of a section. */
const exampleOf = (title: string, text = page): string =>
  new RegExp(`^##+ ${title}\n[\\s\\S]*?^\`\`\`\\w+\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(text)?.[1] ?? '';

interface Job {
  readonly variables: Readonly<Record<string, string>>;
  readonly before_script: readonly string[];
  readonly script: readonly string[];
  readonly artifacts: { readonly reports: { readonly junit: string } };
}

async function run(script: string, variables: Readonly<Record<string, string>> = {}) {
  const cwd = mkdtempSync(join(folder, 'job-'));
  const { env, end } = await startSandbox([], cwd);
  const ran = await execa('sh', ['-ec', script], { cwd, env: { ...plainEnv, ...env, ...variables }, extendEnv: false, reject: false });
  await end('SIGINT');
  return { code: ran.exitCode, stderr: ran.stderr, report: readFileSync(join(cwd, 'apisvc.xml'), 'utf8') };
}

const healthy = { code: 0, stderr: '', report: expect.stringMatching(/<testsuite .*failures="0"/) };

test('GitLab CI', async () => {
  const { verify } = parse(exampleOf('GitLab CI')) as { readonly verify: Job };
  expect(verify.artifacts.reports.junit).toBe('apisvc.xml');
  expect(await run([...verify.before_script, ...verify.script].join('\n'), verify.variables)).toEqual(healthy);
});

test('other CI systems', async () => {
  expect(await run(exampleOf('Other CI systems'))).toEqual(healthy);
});

test('docs/install.md on Linux', async () => {
  const commands = exampleOf('Linux', read('install.md')).replace(/^sudo .*$/gm, '');
  const { stdout } = await execa('sh', ['-ec', `${commands}\n./apisvc --version`], { cwd: folder, env: plainEnv, extendEnv: false });
  expect(stdout.split('\n')).toEqual([expect.stringMatching(/: OK$/), version]);
});

test('the examples name the version of the package', () => {
  const pages = page + read('install.md');
  const versions = [
    ...pages.replaceAll(repositoryName, 'REPOSITORY').matchAll(/(?:\/download\/v|REPOSITORY@v|apisvc-)(\d+\.\d+\.\d+)/g),
  ].map(([, found]) => found);
  expect(versions.length).toBeGreaterThan(4);
  expect(new Set(versions)).toEqual(new Set([version]));
});
