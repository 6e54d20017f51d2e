import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { apisvc } from './harness/commands.ts';
import { program } from './harness/programs.ts';
import { emptyFolder } from './harness/projects.ts';
import { cluster } from './harness/provided.ts';

/** The oldest and the newest supported kubectl, against the simulation of `apisvc sandbox`. */

const folder = emptyFolder();
const kubeconfig = join(folder, 'kubeconfig');
let sandbox: ReturnType<typeof apisvc>;

beforeAll(async () => {
  sandbox = apisvc(['sandbox', '--engine', 'simulated', '--write-kubeconfig', kubeconfig], { cwd: folder, timeout: 600_000 });
  let said = '';
  sandbox.stderr.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  await vi.waitFor(() => expect(said).toContain('runs until you press Ctrl-C'), { timeout: 60_000 });
});
afterAll(async () => {
  sandbox?.kill('SIGINT');
  expect(await sandbox).toMatchObject({ exitCode: 130 });
});

describe.each(['kubectl', 'kubectl-1.32'])('%s', (name) => {
  /** kubectl caches discovery there. */
  const HOME = mkdtempSync(join(folder, 'home-'));
  const namespace = `with-${name.replace('.', '-')}`;
  const kubectl = (args: readonly string[], input = '') => {
    const env = { HOME, KUBECONFIG: kubeconfig, PATH: process.env.PATH ?? '' };
    return execa(program(cluster.programs, name), args, {
      env,
      extendEnv: false,
      input,
      reject: false,
      stripFinalNewline: false,
      timeout: 90_000,
    });
  };
  const ok = async (args: readonly string[], input?: unknown): Promise<string> => {
    const { exitCode, stdout, stderr } = await kubectl(args, input === undefined ? '' : JSON.stringify(input));
    expect({ args, exitCode, stderr }).toEqual({ args, exitCode: 0, stderr: '' });
    return stdout;
  };
  const configMap = (data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace }, data });

  test('version says that it is a simulation', async () => {
    // An old kubectl warns of the distance.
    expect((await kubectl(['version'])).stdout).toMatch(/Server Version: v1\.37\.\d+\+apisvc\.simulation/);
  });

  test('api-resources and api-versions', async () => {
    const resources = await ok(['api-resources']);
    expect(resources).toMatch(/^configmaps +cm +v1 +true +ConfigMap$/m);
    expect(resources).toMatch(/^apiservices +apiregistration\.k8s\.io\/v1 +false +APIService$/m);
    expect(resources).toMatch(/^hosts +.*demo\.apisvc\.dev\/v1alpha1 +false +Host$/m);
    expect((await ok(['api-versions'])).split('\n')).toEqual(expect.arrayContaining(['apps/v1', 'v1', 'demo.apisvc.dev/v1alpha1']));
  });

  test('create, get and delete', async () => {
    expect(await ok(['create', 'namespace', namespace])).toBe(`namespace/${namespace} created\n`);
    expect(await ok(['create', 'configmap', 'first', '-n', namespace, '--from-literal=a=1'])).toBe('configmap/first created\n');
    expect(await ok(['get', 'configmap', 'first', '-n', namespace])).toMatch(/^NAME +AGE\nfirst +\d+s\n$/);
    expect(await ok(['get', 'cm/first', '-n', namespace, '-o', 'jsonpath={.data.a}'])).toBe('1');
    expect(await ok(['get', 'cm', '-A', '-o', 'name'])).toContain('configmap/extension-apiserver-authentication\n');
    expect(await ok(['delete', 'configmap', 'first', '-n', namespace])).toMatch(/^configmap "first" deleted/);
    const { exitCode, stderr } = await kubectl(['get', 'configmap', 'first', '-n', namespace]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'Error from server (NotFound): configmaps "first" not found\n' });
  });

  test('apply --server-side, with conflicts', async () => {
    const apply = ['apply', '--server-side', '-f', '-'];
    expect(await ok(apply, configMap({ a: '1' }))).toBe('configmap/one serverside-applied\n');
    expect(await ok([...apply, '--dry-run=server'], configMap({ a: '2' }))).toBe('configmap/one serverside-applied (server dry run)\n');
    const { exitCode, stderr } = await kubectl([...apply, '--field-manager=other'], JSON.stringify(configMap({ a: '3' })));
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('conflict with "kubectl": .data.a') });
    await ok([...apply, '--field-manager=other', '--force-conflicts'], configMap({ a: '3' }));
    expect(await ok(['get', 'cm', 'one', '-n', namespace, '-o', 'jsonpath={.data.a}'])).toBe('3');
    await ok(['patch', 'cm', 'one', '-n', namespace, '--type=merge', '-p', '{"data":{"b":"4"}}']);
    await ok(['label', 'cm', 'one', '-n', namespace, 'x=y']);
    expect(await ok(['get', 'cm', '-n', namespace, '-l', 'x=y', '-o', 'name'])).toBe('configmap/one\n');
  });

  test('apply --server-side takes over what apply has created', async () => {
    const object = (data: object) => ({ ...configMap(data), metadata: { name: 'taken-over', namespace } });
    expect(await ok(['apply', '-f', '-'], object({ a: '1' }))).toBe('configmap/taken-over created\n');
    const refused = await kubectl(['apply', '-f', '-'], JSON.stringify(object({ a: '2' })));
    expect(refused.stderr).toContain('kubectl apply --server-side');
    // kubectl also moves the fields to its new manager, with a JSON patch.
    await ok(['apply', '--server-side', '-f', '-'], object({ a: '1' }));
    const { metadata } = JSON.parse(await ok(['get', 'cm', 'taken-over', '-n', namespace, '-o', 'json', '--show-managed-fields']));
    const managers = metadata.managedFields.map(({ manager }: { manager: string }) => manager);
    expect(managers).toEqual(['kubectl', 'kubectl-last-applied']);
  });

  test('diff shows what an apply would change', async () => {
    const { exitCode, stdout } = await kubectl(
      ['diff', '--server-side', '--force-conflicts', '-f', '-'],
      JSON.stringify(configMap({ a: '5' })),
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: expect.stringMatching(/^- {2}a: "3"\n\+ {2}a: "5"$/m) });
  });

  test('what is not simulated says so', async () => {
    const { exitCode, stderr } = await kubectl(['patch', 'cm', 'one', '-n', namespace, '-p', '{"data":{"b":"4"}}']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('not simulated by apisvc sandbox') });
  });

  test('describe', async () => {
    expect(await ok(['describe', 'apiservice', 'v1alpha1.demo.apisvc.dev'])).toMatch(/Message: +all checks passed\n +Reason: +Passed/);
    expect(await ok(['describe', 'deployment', '-n', 'demo'])).toMatch(/Replicas: +1 desired \| 1 updated \| 1 total \| 1 available/);
    expect(await ok(['describe', 'service', '-n', 'demo'])).toMatch(/Endpoints: +127\.0\.0\.1:\d+/);
    expect(await ok(['describe', 'pod', '-n', 'demo'])).toContain('Running');
    expect(await ok(['describe', 'cm', 'one', '-n', namespace])).toContain('Name:         one');
    expect(await ok(['describe', 'namespace', namespace])).toContain('Status:       Active');
  });

  test('get --raw, and get of what the extension API server serves', async () => {
    const list = JSON.parse(await ok(['get', '--raw', '/apis/demo.apisvc.dev/v1alpha1/hosts']));
    expect(list).toMatchObject({ kind: 'HostList', items: [{ kind: 'Host' }] });
    expect(await ok(['get', 'hosts'])).toMatch(/^NAME +.*\n\S+ /);
    expect(await ok(['get', '--raw', '/readyz'])).toBe('ok');
  });

  test('wait, rollout status and get --watch', async () => {
    expect(await ok(['wait', '--for=condition=Available', 'apiservice/v1alpha1.demo.apisvc.dev', '--timeout=60s'])).toContain(
      'condition met',
    );
    expect(await ok(['rollout', 'status', 'deployment/demo', '-n', 'demo', '--timeout=60s'])).toContain('successfully rolled out');
    const waiting = kubectl(['wait', '--for=delete', 'cm/one', '-n', namespace, '--timeout=60s']);
    const watching = kubectl(['get', 'cm', 'one', '-n', namespace, '--watch', '-o', 'name']);
    let seen = '';
    watching.stdout.on('data', (chunk: Buffer) => {
      seen += chunk;
    });
    try {
      await expect.poll(() => seen, { timeout: 60_000 }).toBe('configmap/one\n');
      await ok(['delete', 'cm', 'one', '-n', namespace]);
      expect(await waiting).toMatchObject({ exitCode: 0 });
      await expect.poll(() => seen, { timeout: 60_000 }).toBe('configmap/one\nconfigmap/one\n');
    } finally {
      watching.kill('SIGKILL');
      await watching;
    }
  });

  test('logs', async () => {
    expect(await ok(['logs', 'deployment/demo', '-n', 'demo'])).not.toBe('');
  });

  test('auth can-i, as somebody else', async () => {
    expect(await ok(['auth', 'can-i', 'create', 'secrets'])).toBe('yes\n');
    const { exitCode, stdout } = await kubectl(['auth', 'can-i', 'create', 'secrets', '--as=jane']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'no\n' });
    expect((await kubectl(['get', 'secrets', '--as=jane'])).stderr).toBe(
      'Error from server (Forbidden): secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "default"\n',
    );
  });

  test('the namespace goes with all that is in it', async () => {
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(configMap({ a: '1' })));
    await ok(['apply', '--server-side', '-f', join(folder, `${name}.json`)]);
    expect(await ok(['delete', 'namespace', namespace, '--timeout=60s'])).toMatch(/^namespace ".*" deleted/);
    expect(await ok(['get', 'cm', '-A', '-o', 'jsonpath={.items[*].metadata.name}'])).not.toContain('one');
  });
});
