import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import type { DiagnosisList } from '../../src/diagnosis/types.ts';
import { snapshotJson } from '../../src/report/json.ts';
import type { Snapshot } from '../../src/snapshot/types.ts';
import { answer, kubeconfig, notFound, serve, status } from '../unit/cluster/kube-api.ts';
import { answers, healthy, seen, snapshotOf, unavailable, unseen } from '../unit/diagnosis/snapshots.ts';
import { folder } from '../unit/project/folder.ts';
import { apisvc, root, shell } from './apisvc.ts';
import { hasTmux, terminal } from './tmux.ts';

const bad = { ...healthy, name: 'v1.broken.example.com', apiService: seen(unavailable('no')), aggregated: answers(503, 'no\u001b[2J') };
const dark = { ...healthy, apiService: unseen(), aggregated: unseen(), probes: unseen() };

function kept(snapshot: Snapshot): { cwd: string; input: string } {
  return { cwd: folder(), input: snapshotJson(snapshot) };
}

/** Validates JSON with a published schema. */
function schemaErrors(name: string, json: string): unknown[] {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  const validate = ajv.compile(JSON.parse(readFileSync(join(root, 'schema', `${name}.schema.json`), 'utf8')));
  validate(JSON.parse(json));
  return validate.errors ?? [];
}

describe('verify --from', () => {
  test.each([
    ['healthy', snapshotOf(healthy), 0],
    ['broken', snapshotOf(healthy, bad), 1],
    ['unknown', snapshotOf(dark), 3],
  ])('%s', async (verdict, snapshot, wanted) => {
    const { code, stdout, stderr } = await apisvc(['verify', '--from', '-', '-o', 'json'], kept(snapshot));
    expect({ code, stderr }).toEqual({ code: wanted, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ verdict });
    expect(schemaErrors('diagnosis', stdout)).toEqual([]);
  });

  test('--fail-if-expires-within fails if a certificate expires soon, or was not seen', async () => {
    const args = ['verify', '--from', '-', '--fail-if-expires-within'];
    expect(await apisvc([...args, '10d'], kept(snapshotOf(healthy)))).toMatchObject({ code: 0, stderr: '' });
    const soon = await apisvc([...args, '400d'], kept(snapshotOf(healthy)));
    expect(soon).toMatchObject({ code: 1, stderr: '', stdout: expect.stringMatching(/\n {2}error cert\/expires-soon: /) });
    expect(soon.stdout).toMatch(/\nfailed: certificates that expire soon in \S+ \(--fail-if-expires-within\)\n$/);
    const unseenOne = await apisvc([...args, '10d', '-o', 'short'], kept(snapshotOf({ ...healthy, probes: unseen() })));
    expect(unseenOne).toMatchObject({ code: 3, stderr: '', stdout: expect.stringContaining(`${healthy.name} unknown`) });
  });

  test('a name that looks like a flag is refused', async () => {
    const { code, stderr } = await apisvc(['verify', '--from', '-'], kept(snapshotOf({ ...healthy, name: '--all' })));
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^error: - is not a snapshot: apis\[0\]\.name: /) });
  });

  test.each([
    ['wide', /^NAME +SERVICE +AVAILABLE/],
    ['short', /^✓ \S+ healthy/],
    ['yaml', /^apiVersion: apisvc\.dev\/diagnosis\/v1alpha1\n/],
    ['junit', /^<\?xml /],
    ['sarif', /"version": "2\.1\.0"/],
    ['github', /::error /],
    ['html', /^<!doctype html>/i],
    ['text', /\n2 APIs: 1 healthy, 1 broken\n\nfailed: errors in 1 of 2 APIs\n$/],
  ])('-o %s', async (format, expected) => {
    const { code, stdout } = await apisvc(['verify', '--from', '-', '-o', format], kept(snapshotOf(healthy, bad)));
    expect(code).toBe(1);
    expect(stdout).toMatch(expected);
    expect(stdout).not.toContain('\u001b');
  });

  test('-o github appends its summary to GITHUB_STEP_SUMMARY', async () => {
    const { cwd, input } = kept(snapshotOf(bad));
    const file = join(cwd, 'summary');
    writeFileSync(file, 'before\n');
    await apisvc(['verify', '--from', '-', '-o', 'github'], { cwd, input, env: { GITHUB_STEP_SUMMARY: file } });
    expect(readFileSync(file, 'utf8')).toMatch(/^before\n[\s\S]*v1\.broken\.example\.com/);
    const failed = await apisvc(['verify', '--from', '-', '-o', 'github'], { cwd, input, env: { GITHUB_STEP_SUMMARY: cwd } });
    expect(failed).toMatchObject({
      code: 2,
      stdout: `::error title=apisvc verify::failed to write ${cwd}: it is a directory%0Afix: Set GITHUB_STEP_SUMMARY to a file that can be written.\n`,
      stderr: `error: failed to write ${cwd}: it is a directory\nfix: Set GITHUB_STEP_SUMMARY to a file that can be written.\n`,
    });
  });

  test('names select APIServices', async () => {
    const given = kept(snapshotOf(healthy, bad));
    expect((await apisvc(['verify', '--from', '-', '-o', 'short', healthy.name], given)).stdout).toBe(`✓ ${healthy.name} healthy\n`);
    expect(await apisvc(['verify', '--from', '-', 'v1.other'], given)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('error: no APIService v1.other on standard input\n'),
    });
  });

  test.each(['', '{', '[]', '{"apiVersion":"x"}', '\u0000\u001b[2J', '{"apiVersion":"apisvc.dev/snapshot/v1alpha1","apis":[{}]}'])(
    'an invalid snapshot is an error of one line: %j',
    async (input) => {
      const { code, stdout, stderr } = await apisvc(['verify', '--from', '-'], { cwd: folder(), input });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^error: - is not a snapshot[^\n]*\nfix: [^\n]+\n$/);
      expect(stderr).not.toContain('\u001b');
    },
  );

  test('a closed pipe is silent, and does not change the exit code', async () => {
    const cwd = folder();
    writeFileSync(join(cwd, 's.json'), snapshotJson(snapshotOf(bad)));
    const { stderr } = await shell('{ sleep 0.2; "$apisvc" verify --from s.json; echo "code $?" >&2; } | true', cwd);
    expect(stderr).toBe('code 1\n');
  });
});

/**
 * A cluster with one Local APIService.
 * @param answers - the status code of its API for each check
 */
async function clusterWith(answers: () => number): Promise<object> {
  const name = 'v1.example.com';
  const object = { metadata: { name }, spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 10 } };
  const available = { type: 'Available', status: 'True', reason: 'Local', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' };
  const api = { ...object, kind: 'APIService', status: { conditions: [available] } };
  const server = await serve(({ url }, response) => {
    if (url.startsWith('/version')) return answer(response, 200, { gitVersion: 'v1.37.2' });
    if (url.includes(`/apiservices/${name}`)) return answer(response, 200, api);
    if (url.includes('/apiservices/')) return answer(response, 404, notFound(url));
    if (url.includes('/apiservices')) return answer(response, 200, { kind: 'APIServiceList', metadata: {}, items: [api] });
    const list = { kind: 'APIResourceList', groupVersion: 'example.com/v1', resources: [{ name: 'a' }] };
    if (url === '/apis/example.com/v1') return answer(response, answers(), list);
    return answer(response, 403, status(403, 'Forbidden', 'no'));
  });
  return kubeconfig(server);
}

describe('verify of a cluster', () => {
  async function withCluster(answers = () => 200): Promise<string> {
    const cwd = folder();
    writeFileSync(join(cwd, 'config'), JSON.stringify(await clusterWith(answers)));
    return cwd;
  }
  const flags = ['--kubeconfig', 'config'];

  test('--all, and --save with mode 0600 that --from reads', async () => {
    const cwd = await withCluster();
    const live = await apisvc(['verify', ...flags, '--all', '--save', 's.json', '-o', 'json'], { cwd });
    expect(live).toMatchObject({ code: 0, stderr: '' });
    expect(statSync(join(cwd, 's.json')).mode & 0o777).toBe(0o600);
    expect(schemaErrors('snapshot', readFileSync(join(cwd, 's.json'), 'utf8'))).toEqual([]);
    expect((await apisvc(['verify', '--from', 's.json', '-o', 'json'], { cwd })).stdout).toBe(live.stdout);
  });

  test.each([
    ['no path of an API', ['--probe', '/healthz'], 'Use a path like /apis/GROUP/VERSION/RESOURCE?limit=1.'],
    ['two paths of one API', ['--probe', '/apis/g/v1/a', '--probe', '/apis/g/v1/b'], 'Use one path for each API.'],
    ['a file', ['--from', 's.json', '--no-probe'], 'cannot be used with'],
  ])('--probe with %s is wrong usage', async (_, args, words) => {
    expect(await apisvc(['verify', ...args], { cwd: folder() })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(words),
    });
  });

  test('--save replaces an earlier snapshot, also one that another program formatted', async () => {
    const cwd = await withCluster();
    const file = join(cwd, 's.json');
    for (const text of ['', snapshotJson(snapshotOf(healthy)), JSON.stringify(snapshotOf(healthy))]) {
      writeFileSync(file, text);
      expect(await apisvc(['verify', ...flags, '--all', '--save', 's.json'], { cwd })).toMatchObject({ code: 0, stderr: '' });
      expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ apis: [{ name: 'v1.example.com' }] });
    }
  });

  test.each([
    ['a manifest', 'apiVersion: v1\nkind: Secret\n'],
    ['a diagnosis', '{"apiVersion":"apisvc.dev/diagnosis/v1alpha1"}'],
    ['other JSON', '{"a": {"apiVersion":"apisvc.dev/snapshot/v1alpha1"}}'],
  ])('--save does not overwrite %s, and does not ask the cluster', async (_, text) => {
    const cwd = folder();
    writeFileSync(join(cwd, 'a b'), text);
    // The kubeconfig does not exist: an error about it would mean that the cluster comes first.
    expect(await apisvc(['verify', ...flags, '--all', '--save', 'a b'], { cwd })).toEqual({
      code: 2,
      stdout: '',
      stderr: "error: a b exists and is not a snapshot\nfix: Choose another path for --save, or remove the file: rm 'a b'\n",
    });
    expect(readFileSync(join(cwd, 'a b'), 'utf8')).toBe(text);
  });

  test('--save does not replace a directory, and writes to a device', async () => {
    const cwd = await withCluster();
    expect(await apisvc(['verify', '--all', ...flags, '--save', '.'], { cwd })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^error: failed to write \.: it is a directory\n/),
    });
    expect(await apisvc(['verify', '--all', ...flags, '--save', '/dev/null'], { cwd })).toMatchObject({ code: 0, stderr: '' });
  });

  test.each(['example.com', 'v2.example.com', 'v1.exmaple.com'])('a name that does not exist: %s', async (name) => {
    const { code, stdout } = await apisvc(['verify', ...flags, name], { cwd: await withCluster() });
    expect(code).toBe(1);
    expect(stdout).toContain('List the APIServices of the cluster (did you mean v1.example.com?):');
  });

  test.each(['V1.example.com', 'example'])('an invalid name: %s', async (name) => {
    const { code, stdout, stderr } = await apisvc(['verify', ...flags, name], { cwd: await withCluster() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(`error: invalid APIService name "${name}"\nfix: Did you mean v1.example.com?\n`);
  });

  test('an invalid name without a cluster to ask', async () => {
    const { code, stderr } = await apisvc(['verify', '--kubeconfig', 'none', 'example'], { cwd: folder() });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'error: invalid APIService name "example"\nfix: Use <version>.<group>, for example v1beta1.metrics.k8s.io.\n',
    });
  });

  test('a project that cannot be read is a warning', async () => {
    const cwd = await withCluster();
    writeFileSync(join(cwd, 'apisvc.yaml'), 'apiVersion: apisvc.dev/v1alpha1\nkind: Nonsense\n');
    const { code, stdout, stderr } = await apisvc(['verify', ...flags, 'v1.example.com', '-o', 'short'], { cwd });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '✓ v1.example.com healthy (1 not checked)\n' });
    expect(stderr).toMatch(/^warning: The cluster is not compared with the project: [^\n]*apisvc\.yaml[^\n]*\n$/);
  });

  test('several contexts: one that is down does not stop the other', async () => {
    const cwd = await withCluster();
    const config = JSON.parse(readFileSync(join(cwd, 'config'), 'utf8'));
    config.clusters.push({ name: 'down', cluster: { server: 'http://127.0.0.1:1' } });
    config.contexts.push({ name: 'down', context: { cluster: 'down', user: 'test' } });
    writeFileSync(join(cwd, 'config'), JSON.stringify(config));
    const args = ['verify', ...flags, 'v1.example.com', '--context', 'test', '--context', 'down'];
    const { code, stdout } = await apisvc([...args, '-o', 'json'], { cwd });
    expect(code).toBe(3);
    expect(schemaErrors('diagnosis-list', stdout)).toEqual([]);
    expect((await apisvc([...args, '-o', 'short'], { cwd })).stdout).toMatch(
      /^✓ test\/v1\.example\.com healthy \(1 not checked\)\n\? down unknown .*connection refused\n$/,
    );
  });

  test('several contexts: one without the APIService does not stop the other', async () => {
    const cwd = await withCluster();
    const config = JSON.parse(readFileSync(join(cwd, 'config'), 'utf8'));
    const empty = await serve((_, response) => answer(response, 200, { kind: 'APIServiceList', metadata: {}, items: [] }));
    config.clusters.push({ name: 'empty', cluster: { server: empty } });
    config.contexts.push(...['empty', 'void'].map((name) => ({ name, context: { cluster: 'empty', user: 'test' } })));
    writeFileSync(join(cwd, 'config'), JSON.stringify(config));
    const args = ['verify', ...flags, '-l', 'a=b', '-o', 'short', '--context', 'empty'];
    const { code, stdout } = await apisvc([...args, '--context', 'test'], { cwd });
    expect({ code, stdout }).toEqual({
      code: 3,
      stdout: expect.stringMatching(/^\? empty unknown no APIServices with labels a=b found\n✓ test\/v1\.example\.com healthy.*\n$/),
    });
    expect(await apisvc([...args, '--context', 'void'], { cwd })).toMatchObject({ code: 2, stdout: '' });
  });

  describe('a pattern of contexts', () => {
    /** The contexts test, prod-a, prod-b (never answers) and stale (names no cluster). */
    async function withContexts(): Promise<string> {
      const cwd = await withCluster();
      const config = JSON.parse(readFileSync(join(cwd, 'config'), 'utf8'));
      const hangs = await serve(() => {});
      config.clusters.push({ name: 'hangs', cluster: { server: hangs } });
      const clusters = { 'prod-a': 'test', 'prod-b': 'hangs', stale: 'gone' };
      for (const [name, cluster] of Object.entries(clusters)) config.contexts.push({ name, context: { cluster, user: 'test' } });
      writeFileSync(join(cwd, 'config'), JSON.stringify(config));
      return cwd;
    }
    const all = ['verify', ...flags, '--all', '--timeout', '5s'];

    test('one that hangs and one that is broken do not stop the others, and JSON arrives before the end', async () => {
      const cwd = await withContexts();
      const [whole, prod] = await Promise.all([
        apisvc([...all, '--context', '*', '-o', 'json'], { cwd }),
        apisvc([...all, '--context', 'prod-?', '-o', 'junit'], { cwd }),
      ]);
      expect({ code: whole.code, stderr: whole.stderr }).toEqual({ code: 3, stderr: '' });
      expect(schemaErrors('diagnosis-list', whole.stdout)).toEqual([]);
      const { verdict, clusters } = JSON.parse(whole.stdout) as DiagnosisList;
      expect(verdict).toBe('unknown');
      // In the order in which they end.
      expect(clusters.at(-1)).toEqual({
        context: 'prod-b',
        error: expect.stringMatching(/^timed out after 5s verifying all APIServices/),
        exitCode: 124,
      });
      expect(clusters.find(({ context }) => context === 'stale')).toMatchObject({
        error: expect.stringContaining('cluster "gone"'),
        exitCode: 3,
      });
      expect(clusters.flatMap(({ context, diagnosis }) => (diagnosis ? [context] : [])).toSorted()).toEqual(['prod-a', 'test']);
      expect(prod.code).toBe(124);
      expect(prod.stdout).toContain('<testsuite name="prod-a/v1.example.com"');
      expect(prod.stdout).toMatch(/<testcase classname="prod-b" name="verdict" time="0"><error message="timed out after 5s /);
    });

    test('without a match, or with nothing to verify anywhere, is wrong usage without a report', async () => {
      const cwd = await withContexts();
      expect(await apisvc([...all, '--context', 'dev-*'], { cwd })).toMatchObject({
        code: 2,
        stderr: 'error: no context of the kubeconfig matches "dev-*"\nfix: Choose from the contexts test, prod-a, prod-b, stale.\n',
      });
      expect(await apisvc([...all, '--context', 'stal?', '-o', 'json'], { cwd })).toMatchObject({ code: 2, stdout: '' });
    });
  });

  test('--watch draws each change once on a terminal; Ctrl-C exits with 130', async (context) => {
    context.skip(!hasTmux, 'NOT TESTED: --watch on a terminal (needs tmux)');
    let broken = false;
    const cwd = await withCluster(() => (broken ? 503 : 200));
    const screen = terminal('trap : INT; apisvc verify --kubeconfig config v1.example.com --watch -o short', cwd);
    expect(await screen.until(/healthy/)).toMatch(/^✓ v1\.example\.com healthy \(1 not checked\)$/);
    broken = true;
    await expect.poll(() => screen.read(), { timeout: 9_000 }).toMatch(/✗ v1\.example\.com broken discovery\/\S+ \(1 not checked\)$/);
    screen.type('C-c');
    expect(await screen.until(/exit code/)).toMatch(/error: interrupted\nexit code 130/);
  }, 20_000);

  // Without --foreground, timeout(1) also signals its process group, and apisvc gets SIGINT twice.
  test('--watch in a pipe appends each change', async () => {
    const cwd = await withCluster();
    const { stdout, stderr } = await shell(
      'timeout --foreground -s INT 3 "$apisvc" verify --kubeconfig config v1.example.com --watch -o short; echo "code $?"',
      cwd,
    );
    expect(stdout).toBe('✓ v1.example.com healthy (1 not checked)\ncode 124\n');
    expect(stderr).toBe('error: interrupted\n');
  });
});

describe('explain', () => {
  test('lists all codes or a family, or explains one', async () => {
    const cwd = folder();
    const lines = (await apisvc(['explain'], { cwd })).stdout.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(40);
    expect((await apisvc(['explain', 'bundle'], { cwd })).stdout).toMatch(/^(bundle\/\S+ +(error|warning) +.+\n)+$/);
    const { stdout, code } = await apisvc(['explain', 'service/missing'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^service\/missing \(error\): [\s\S]*cause: [\s\S]*fix: [\s\S]*see: +docs\/findings\.md#servicemissing\n$/);
  });
});
