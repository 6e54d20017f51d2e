import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Cluster, connect } from '../../../src/cluster/cluster.ts';
import { ownServer } from '../../../src/config/presets.ts';
import { manifestsToRegister } from '../../../src/manifests/render.ts';
import { completeExistingDeployment } from '../../../src/operations/existing-deployment.ts';
import { runSteps } from '../../../src/operations/runner.ts';
import { applyStep } from '../../../src/operations/steps/apply.ts';
import { verifyAgain } from '../../../src/operations/verify-again.ts';
import type { Issued } from '../../../src/pki/types.ts';
import { certificatesToRegister } from '../../../src/project/certificates.ts';
import { readRegistration } from '../../../src/project/project.ts';
import { deployingPresets } from '../../unit/manifests/fixture.ts';
import { cellOf } from '../harness/cells.ts';
import { apisvc as apisvcWith, kubectl as kubectlWith } from '../harness/commands.ts';
import { installedMetricsServer } from '../harness/installed.ts';
import { inventory } from '../harness/inventory.ts';
import { emptyFolder, failure, waitForOutput } from '../harness/projects.ts';
import { cluster as shared } from '../harness/provided.ts';
import { type Run, startRun } from '../harness/run.ts';
import { isShort } from '../harness/thorough.ts';

const { signal } = new AbortController();

/** The versions delete objects alike. */
const triedCells = isShort ? ['1.37-routing'] : ['1.37-routing', '1.35'];
/**
 * A preset with RBAC rules and storage, one with rights in kube-system, and one with only a server.
 */
const triedPresets = isShort ? (['sample-apiserver', 'metrics-server', 'custom'] as const) : deployingPresets;

describe.each(triedCells)('on Kubernetes %s', (cell) => {
  let run: Run;
  let cluster: Cluster;

  beforeAll(async () => {
    // No other spec of this tier uses the shared control plane.
    run = cell === '1.37-routing' ? { cluster: shared, stop: async () => {} } : await startRun({ ...cellOf(cell), node: false });
    cluster = await connect({ kubeconfig: run.cluster.kubeconfig }, {}, signal);
  });
  afterAll(async () => {
    cluster.close();
    await run.stop(false);
  });

  const apisvc = (...args: string[]) => apisvcWith(args, { env: { KUBECONFIG: run.cluster.kubeconfig } });
  const unregister = (...args: string[]) => apisvc('unregister', '--yes', ...args);
  const kubectl = async (args: readonly string[], input?: object): Promise<string> => {
    const done = await kubectlWith(args, { kubeconfig: run.cluster.kubeconfig, ...(input ? { input: JSON.stringify(input) } : {}) });
    expect({ args, exitCode: done.exitCode, output: done.exitCode === 0 ? '' : done.stdout + done.stderr }).toEqual({
      args,
      exitCode: 0,
      output: '',
    });
    return done.stdout;
  };
  /** The objects, when controllers have nothing more to do. */
  const settled = async () => {
    let last = await inventory(cluster);
    await expect
      .poll(
        async () => {
          const before = JSON.stringify(last);
          last = await inventory(cluster);
          return JSON.stringify(last) === before;
        },
        { timeout: 90_000, interval: 1_000 },
      )
      .toBe(true);
    return last;
  };
  /** Controllers delete at any time what a deleted object owned. */
  const expectAgain = async (before: Awaited<ReturnType<typeof settled>>): Promise<void> => {
    await expect.poll(() => inventory(cluster), { timeout: 90_000, interval: 1_000 }).toEqual(before);
  };

  async function project(preset: string, namespace: string, ...more: string[]): Promise<string> {
    const dir = emptyFolder();
    expect(await apisvc('init', dir, '--preset', preset, '--namespace', namespace, ...more, '--yes')).toMatchObject({ exitCode: 0 });
    return dir;
  }

  /** Applies everything that `register` applies. No node runs, so no server would become ready. */
  async function apply(dir: string): Promise<void> {
    const registration = readRegistration(dir);
    const issued = certificatesToRegister(dir, registration, new Date()).issued as Issued;
    const objects = manifestsToRegister(registration, issued).map(({ object }) => object);
    const complete = () => completeExistingDeployment(cluster, registration, objects, signal);
    const completeOne = (wanted: (typeof objects)[number], found: (typeof objects)[number] | undefined) =>
      wanted.kind === 'APIService' ? verifyAgain(wanted, found) : wanted;
    const step = applyStep(
      { cluster, signal, onProgress: () => {} },
      { id: 'apply', title: 'Applying', objects, complete, completeOne, forceConflicts: true },
    );
    await runSteps([step], () => {});
  }

  const custom = (name: string) => ['--api', `${name}.example.com/v1`, '--image', 'example.com/server:1', '--name', name];

  test.each(triedPresets)('unregister leaves all objects as they were before preset %s', async (preset) => {
    const dir = await project(preset, `gone-${preset}`, ...(ownServer(preset) ? custom('gone') : []));
    const before = await settled();
    await apply(dir);
    expect(Object.keys(await inventory(cluster)).length).toBeGreaterThan(Object.keys(before).length);
    const { exitCode, stdout, stderr } = await unregister('-C', dir);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(/^\d+ deleted\.\n$/);
    await expectAgain(before);
    expect(await unregister('-C', dir)).toMatchObject({ exitCode: 0, stdout: 'Nothing to do.\n' });
  });

  test.each([
    ['kubectl apply', []],
    ['kubectl apply --server-side', ['--server-side']],
  ])('an existing server that was installed with %s gets its former values, and stays its owner', async (_, flags) => {
    const namespace = `existing${flags.length}`;
    await kubectl(['create', 'namespace', namespace]);
    await kubectl(['apply', ...flags, '-f', '-'], installedMetricsServer(namespace, 0));
    onTestFinished(async () => {
      await kubectl(['delete', 'apiservice', 'v1beta1.metrics.k8s.io']);
    });
    const dir = await project('metrics-server-existing', namespace);
    const before = await settled();
    await apply(dir);
    expect(await inventory(cluster)).not.toEqual(before);
    const { exitCode, stdout, stderr } = await unregister('-C', dir);
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0, stdout: '1 deleted, 3 restored.\n' });
    // The Deployment controller keeps a history: an annotation, and one ReplicaSet for each
    // template.
    const plain = (objects: typeof before): unknown => {
      const lasting = Object.entries(objects).filter(([path]) => !path.startsWith('/apis/apps/v1/replicasets '));
      return JSON.parse(JSON.stringify(lasting).replaceAll(/"deployment.kubernetes.io\/revision":"\d+"/g, '"revision":""'));
    };
    await expect.poll(async () => plain(await inventory(cluster)), { timeout: 90_000, interval: 1_000 }).toEqual(plain(before));
    expect(await unregister('-C', dir)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Nothing to do') });
    await kubectl(['apply', ...flags, '-f', '-'], installedMetricsServer(namespace, 0, '--metric-resolution=30s'));
  });

  test('a second project in the namespace keeps its objects and the Namespace', async () => {
    const before = await settled();
    const [one, two] = [await project('custom', 'shared', ...custom('one')), await project('custom', 'shared', ...custom('two'))];
    await apply(one);
    await apply(two);
    const { exitCode, stdout, stderr } = await unregister('-C', one);
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 kept') });
    expect(stderr).toContain('namespace/shared kept: it contains ');
    expect(await kubectl(['get', 'apiservices', 'v1.two.example.com', '-o', 'name'])).toContain('v1.two');
    expect(await unregister('-C', two)).toMatchObject({ exitCode: 0 });
    await expectAgain(before);
  });

  test('a missing permission is named before anything changes', async () => {
    const dir = await project('custom', 'denied', ...custom('denied'));
    await apply(dir);
    const { exitCode, stderr } = await failure(apisvc('unregister', '--yes', '-C', dir, '--as', 'jane', '--as-group', 'system:nobody'));
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 3 });
    for (const where of ['client', 'server']) {
      const { exitCode: code, stderr: said } = await failure(
        apisvc('unregister', `--dry-run=${where}`, '-C', dir, '--as', 'jane', '--as-group', 'system:nobody'),
      );
      expect({ code, said }).toMatchObject({
        code: 3,
        said: expect.stringMatching(
          /not allowed to get, delete leases\S*; get, delete serviceaccounts; .*get, delete deployments.*get, delete apiservices.*\nnothing was changed\nfix: A cluster administrator can grant the permissions:\nkubectl auth reconcile/,
        ),
      });
    }
    await kubectl(['create', 'clusterrolebinding', 'viewers', '--clusterrole=view', '--user=jane']);
    await kubectl(['create', 'clusterrole', 'readers', '--verb=get,list', '--resource=*.*']);
    await kubectl(['create', 'clusterrolebinding', 'readers', '--clusterrole=readers', '--user=jane']);
    const refused = await failure(apisvc('unregister', '--yes', '-C', dir, '--as', 'jane'));
    expect(refused).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(
        /not allowed to delete apiservices[^\n]*\nnothing was changed\nfix: A cluster administrator can grant the permissions:\nkubectl auth reconcile/,
      ),
    });
    const listed = await failure(apisvc('unregister', '--leftovers', '--as', 'jack'));
    expect(listed).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/error: user "jack" is not allowed to list leases\S*; list /),
    });
    expect(listed.stderr).not.toMatch(/undefined|kind: Role\b/);
    await kubectl(['delete', 'clusterrolebinding', 'viewers', 'readers']);
    await kubectl(['delete', 'clusterrole', 'readers']);
    expect(await unregister('-C', dir)).toMatchObject({ exitCode: 0 });
  });

  test('a finalizer is named at the deadline; after Ctrl-C, the next run finishes', async () => {
    const before = await settled();
    const dir = await project('custom', 'held', ...custom('held'));
    await apply(dir);
    const finalizers = (names: readonly string[] | null) =>
      kubectl(['patch', 'apiservice', 'v1.held.example.com', '--type=merge', '-p', JSON.stringify({ metadata: { finalizers: names } })]);
    await finalizers(['example.com/hold']);
    const late = await failure(unregister('-C', dir, '--timeout', '15s'));
    expect(late).toMatchObject({
      exitCode: 124,
      stderr: expect.stringMatching(
        /waiting for apiservice\/v1\.held\.example\.com to be deleted; last state: it has the finalizer example\.com\/hold/,
      ),
    });
    const running = unregister('-C', dir);
    await waitForOutput(running, /it has the finalizer/);
    running.kill('SIGINT');
    expect(await failure(running)).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('Run the same command again') });
    await finalizers(null);
    expect(await unregister('-C', dir)).toMatchObject({ exitCode: 0 });
    await expectAgain(before);
  });

  test('a rotation that runs is refused, and the Lease of an interrupted one is deleted', async () => {
    const before = await settled();
    const dir = await project('custom', 'rotated', ...custom('rotated'));
    await apply(dir);
    const lease = 'apisvc-rotation-rotated';
    const acquireTime = '2026-05-01T10:00:00.123000Z';
    await kubectl(['create', '-f', '-'], {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: lease,
        namespace: 'rotated',
        labels: { 'app.kubernetes.io/managed-by': 'apisvc' },
        annotations: { 'apisvc.dev/registration': 'rotated/rotated' },
      },
      spec: { holderIdentity: 'alice@laptop', acquireTime, renewTime: acquireTime, leaseDurationSeconds: 15 },
    });
    const running = unregister('-C', dir);
    await waitForOutput(running, /alice@laptop holds the Lease of the Service; waiting up to 15s/);
    const spec = { renewTime: '2026-05-01T10:00:05.123000Z', leaseDurationSeconds: 1 };
    await kubectl(['patch', 'lease', lease, '-n', 'rotated', '--type=merge', '-p', JSON.stringify({ spec })]);
    expect(await failure(running)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(
        'error: alice@laptop has been changing the certificate of Service rotated/rotated since 2026-05-01T10:00:00Z\nnothing was changed\n',
      ),
    });
    expect(await kubectl(['get', 'lease', lease, '-n', 'rotated', '-o', 'name'])).toContain(lease);
    expect(await apisvc('unregister', '-C', dir, '--dry-run=server')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`lease/rotated/${lease} deleted (server dry run)\n`),
    });
    expect(await unregister('-C', dir)).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`lease/rotated/${lease} deleted\n`) });
    expect(await kubectl(['get', 'leases', '-A', '-o', 'name'])).not.toContain(lease);
    await expectAgain(before);
  });

  test('what does not exist is not found, and what another project took over is refused', async () => {
    const dirs = [
      await project('custom', 'taken', ...custom('taken')),
      await project('custom', 'taken', ...custom('taken'), '--name', 'other'),
    ];
    const [taken = '', other = ''] = dirs;
    await apply(taken);
    expect(await failure(unregister('taken/takne'))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('error: project "taken/takne" not found\nfix: Did you mean taken/taken?\n'),
    });
    expect(await failure(unregister('v1.takne.example.com'))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('error: APIService "v1.takne.example.com" not found\nfix: Did you mean v1.taken.example.com?\n'),
    });
    const refused = await failure(unregister('-C', other));
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/apiservice\/v1\.taken\.example\.com belongs to another project: taken\/taken\n.*nothing was changed/s),
    });
    expect(await unregister('-C', taken)).toMatchObject({ exitCode: 0 });
    expect(await unregister('-C', taken)).toMatchObject({ exitCode: 0, stdout: 'Nothing to do.\n' });
  });

  test('a dead APIService of anybody is deleted, and then a Namespace can be deleted', async () => {
    const service = { namespace: 'nowhere', name: 'api' };
    const name = 'v1.dead.example.com';
    const spec = { group: 'dead.example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15, service };
    await kubectl(['create', '-f', '-'], { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name }, spec });
    await kubectl(['wait', '--for=condition=Available=False', 'apiservice', name, '--timeout=80s']);
    await kubectl(['create', 'namespace', 'blocked']);
    expect(await apisvc('unregister', '--leftovers')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`  fix: apisvc unregister ${name}\n`),
    });
    const asked = await failure(apisvc('unregister', name));
    expect(asked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('"--yes"') });
    expect(await unregister(name)).toMatchObject({ exitCode: 0, stdout: '1 deleted.\n' });
    await kubectl(['delete', 'namespace', 'blocked', '--timeout=60s']);
  });
});
