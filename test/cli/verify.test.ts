import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DiagnosisList } from '../../src/diagnosis/types.ts';
import { snapshotJson } from '../../src/report/json.ts';
import { answer, kubeconfig, notFound, serve, status } from '../unit/cluster/kube-api.ts';
import { healthy, snapshotOf } from '../unit/diagnosis/snapshots.ts';
import { folder } from '../unit/project/folder.ts';
import { apisvc, shell } from './apisvc.ts';
import { startApisvc } from './running.ts';
import { schemaErrors } from './schema-errors.ts';
import { hasTmux, terminal } from './tmux.ts';

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
    ['two paths of one API', ['--probe', '/apis/g/v1/a', '--probe', '/apis/g/v1/b'], 'Pass only one path for each API.'],
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
      stderr: 'error: a b exists and is not a snapshot\nfix: Choose another path for --save.\n',
    });
    expect(readFileSync(join(cwd, 'a b'), 'utf8')).toBe(text);
  });

  test('--save to a named pipe waits for a reader, and a signal ends the wait', async () => {
    const cwd = await withCluster();
    const args = ['verify', ...flags, '--all', '--save', 'pipe', '-o', 'json'];
    await shell('mkfifo pipe', cwd);
    const { running } = startApisvc(args, { cwd });
    await once(running.stdout, 'data');
    running.kill('SIGINT');
    expect(await running).toMatchObject({ exitCode: 130, stderr: 'error: interrupted' });

    const live = await shell(`cat pipe >s.json & "$apisvc" ${args.join(' ')} && wait`, cwd);
    expect(live).toMatchObject({ code: 0, stderr: '' });
    expect((await apisvc(['verify', '--from', 's.json', '-o', 'json'], { cwd })).stdout).toBe(live.stdout);
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
    expect(stderr).toMatch(/^warning: failed to compare the cluster with the project: [^\n]*apisvc\.yaml[^\n]*\n$/);
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
    const empty = await serve(({ url }, response) =>
      answer(response, 200, url === '/version' ? { gitVersion: 'v1.37.2' } : { kind: 'APIServiceList', metadata: {}, items: [] }),
    );
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
        stderr: 'error: no context in the kubeconfig matches "dev-*"\nfix: Choose from the contexts test, prod-a, prod-b, stale.\n',
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
    await expect.poll(() => screen.read(), { timeout: 20_000 }).toMatch(/✗ v1\.example\.com broken discovery\/\S+ \(1 not checked\)$/);
    screen.type('C-c');
    expect(await screen.until(/exit code/)).toMatch(/error: interrupted\nexit code 130/);
  });

  test('--watch in a pipe appends each change', async () => {
    let checks = 0;
    const cwd = await withCluster(() => {
      checks += 1;
      return 200;
    });
    const { running } = startApisvc(['verify', '--kubeconfig', 'config', 'v1.example.com', '--watch', '-o', 'short'], { cwd });
    await once(running.stdout, 'data');
    const before = checks;
    // What stays the same is not printed again.
    await expect.poll(() => checks, { timeout: 20_000 }).toBeGreaterThan(before + 1);
    running.kill('SIGINT');
    const { exitCode, stdout, stderr } = await running;
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 130,
      stdout: '✓ v1.example.com healthy (1 not checked)',
      stderr: 'error: interrupted',
    });
  });
});
