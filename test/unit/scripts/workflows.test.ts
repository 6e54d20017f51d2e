import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { repositoryName } from '../../../scripts/release/repository.mjs';
import { targets } from '../../../scripts/release/targets.mjs';
import { pages, readPage } from '../../docs/transcripts.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const text = (path: string): string => readFileSync(join(root, path), 'utf8');
const workflows = readdirSync(join(root, '.github', 'workflows')).map((name) => `.github/workflows/${name}`);
const files = ['action.yml', ...workflows];

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly 'runs-on': string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly 'fail-fast': boolean; readonly matrix: { readonly include: readonly Record<string, string>[] } };
  readonly steps: readonly Step[];
}
const jobsOf = (file: string): Record<string, Job> => parse(text(file)).jobs;
const jobs = workflows.flatMap((file) => Object.entries(jobsOf(file)).map(([name, job]) => [`${file}: ${name}`, job] as const));

test('every action has the SHA of a commit, the same everywhere, and its version beside it', () => {
  const uses = files.flatMap((file) => text(file).match(/uses: .*/g) ?? []);
  expect(uses.length).toBeGreaterThan(10);
  expect(uses.filter((line) => !/^uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  const pins = new Set(uses.map((line) => line.replace(/^(uses: [\w.-]+\/[\w.-]+)[^@]*/, '$1')));
  expect(pins.size).toBe(new Set([...pins].map((pin) => pin.split('@')[0])).size);
});

test('dependabot renews the actions and the npm packages', () => {
  const { updates } = parse(text('.github/dependabot.yml'));
  expect(updates.map((each: Record<string, string>) => each['package-ecosystem'])).toEqual(['github-actions', 'npm']);
});

test('every script of a workflow exists', () => {
  const { scripts } = JSON.parse(text('package.json'));
  for (const file of files) {
    for (const [, name = ''] of text(file).matchAll(/npm run ([\w:-]+)/g)) expect(scripts).toHaveProperty([name]);
    for (const [, path = ''] of text(file).matchAll(/node (scripts\/\S+)/g)) expect(text(path)).not.toBe('');
  }
});

test.each(workflows)('%s: a job without permissions has none', (file) => {
  expect(parse(text(file)).permissions).toEqual({});
});

test.each(jobs)('%s: fixed runners, a checkout without credentials, and every platform to its end', (_, { strategy, steps, ...job }) => {
  const runners = strategy?.matrix.include.map(({ runner = '' }) => runner) ?? [job['runs-on']];
  expect(runners.filter((runner) => !/\d/.test(runner))).toEqual([]);
  if (strategy !== undefined) expect(strategy['fail-fast']).toBe(false);
  const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
  expect(checkouts.filter((step) => step.with?.['persist-credentials'] !== false)).toEqual([]);
});

test('only the jobs that publish may write, and only what they publish', () => {
  expect(jobs.filter(([, { permissions }]) => JSON.stringify(permissions ?? {}).includes('write')).map(([name]) => name)).toEqual([
    '.github/workflows/release.yml: github-release',
    '.github/workflows/release.yml: npm',
  ]);
  const { 'github-release': release, npm } = jobsOf('.github/workflows/release.yml');
  expect(release?.permissions).toEqual({ contents: 'write', attestations: 'write', 'id-token': 'write' });
  expect(npm?.permissions).toEqual({ 'id-token': 'write' });
});

test('a release is published with provenance, after each executable has run', () => {
  const file = '.github/workflows/release.yml';
  expect(parse(text(file))).toMatchObject({
    on: { push: { tags: ['v[0-9]+.[0-9]+.[0-9]+'] } },
    jobs: { try: { needs: 'build' }, 'github-release': { needs: 'try' }, npm: { needs: 'github-release' } },
  });
  expect(text(file)).toContain('npm publish --provenance');
  expect(jobsOf(file).try?.strategy?.matrix.include.map(({ platform }) => platform)).toEqual(targets.map(({ name }) => name));
  const installed = [...text('action/install.sh').matchAll(/platform=([\w-]+)/g)].map(([, name]) => name);
  expect(installed).toEqual(targets.map(({ name }) => name));
});

test.each(['v0.0.0', 'v0.0.0-rc.1', 'main'])('a release of %s is refused: package.json has another version', (tag) => {
  const args = [join(root, 'scripts', 'release.mjs'), '--expect', `${repositoryName}@${tag}`];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/^error: package\.json describes .*, not /) });
});

test('every page names the repository of package.json', () => {
  const names = [...pages, 'CONTRIBUTING.md'].flatMap((page) => [
    ...readPage(page).matchAll(
      /github\.com\/([\w.-]+\/[\w.-]+)\/(?:releases|archive)|uses: ((?!actions\/)[\w.-]+\/[\w.-]+)@|--repo ([\w./-]+)/g,
    ),
  ]);
  const found = names.map(([, url, action, flag]) => url ?? action ?? flag);
  expect(found.length).toBeGreaterThan(4);
  expect(new Set(found)).toEqual(new Set([repositoryName]));
});

test('docs/install.md checks a download as the release workflow does', () => {
  const steps = text('.github/workflows/release.yml');
  const commands = [
    'sha256sum -c --ignore-missing',
    'shasum -a 256 -c --ignore-missing',
    'Select-String -SimpleMatch -Quiet "$((Get-FileHash $archive).Hash)  $archive"',
  ];
  for (const command of commands) {
    expect(steps).toContain(`${command} checksums.txt`);
    expect(readPage('docs/install.md')).toContain(`${command} checksums.txt`);
  }
});

test('scripts have the line ends of Unix on Windows too', () => {
  const scripts = ['action/install.sh', 'action/run.sh', '.ci/run'];
  const attributes = execFileSync('git', ['check-attr', 'eol', ...scripts], { cwd: root, encoding: 'utf8' });
  expect(attributes).toBe(scripts.map((path) => `${path}: eol: lf\n`).join(''));
});

test('Git Bash on Windows does not change the arguments of the action', () => {
  expect(text('action/run.sh')).toMatch(/^export MSYS_NO_PATHCONV=1$/m);
});
