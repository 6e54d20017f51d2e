import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Document } from 'yaml';
import { apisvc, kubectl } from '../harness/commands.ts';
import { kubectlOk, waitForOutput } from '../harness/projects.ts';
import { expectNoFailureDuringRestart } from '../harness/rotations.ts';
import { makeSampleProject } from '../harness/sample-project.ts';
import { shareEtcd, startSharedEtcd } from '../harness/shared-etcd.ts';
import { startLoad } from '../harness/start-load.ts';
import { userKubeconfig } from '../harness/users.ts';
import { asReader, expectFindings, valid } from '../laboratory/expect-findings.ts';

/**
 * The sample API server 0.37.2 in three pods, used by an ordinary user.
 */

const name = 'v1alpha1.wardle.example.com';
const resource = 'flunders.wardle.example.com';
/**
 * Names the version, because another spec serves v1beta1 from another store, and kubectl would
 * prefer that.
 */
const versioned = 'flunders.v1alpha1.wardle.example.com';
const flunder = (flunderName: string): object => ({
  apiVersion: 'wardle.example.com/v1alpha1',
  kind: 'Flunder',
  metadata: { name: flunderName, namespace: 'default' },
});
const removeProject = async (namespace: string): Promise<void> => {
  await kubectl(['delete', 'apiservice', name, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
};

describe('three pods of the sample API server', () => {
  let dir: string;
  let kubeconfig: string;

  /** Runs kubectl as the ordinary user. */
  const asUser = (args: readonly string[], input?: object) =>
    kubectl(args, { kubeconfig, ...(input ? { input: JSON.stringify(input) } : {}) });

  beforeAll(async () => {
    kubeconfig = await userKubeconfig('jane');
    await startSharedEtcd('wardle');
    const edit = (document: Document) => {
      shareEtcd(document);
      // A server built on k8s.io/apiserver ends after its last watch, or when it is killed.
      document.setIn(['spec', 'server', 'terminationGracePeriodSeconds'], 10);
    };
    dir = await makeSampleProject({ name: 'wardle', api: 'wardle.example.com/v1alpha1', edit });
  });

  afterAll(async () => {
    await removeProject('wardle');
    await kubectl(['delete', 'clusterrole,clusterrolebinding', 'flunders', '--ignore-not-found']);
  });

  test('are registered after each of them serves the certificate', async () => {
    const { exitCode, stdout, stderr } = await apisvc(['register', '-C', dir, '--timeout', '80s']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain('3 of 3 endpoints ready');
    expect(stdout.match(/\(pod wardle-\S+\) serves CN=api\.wardle\.svc/g)).toHaveLength(3);
    const lines = stderr.split('\n');
    const rolledOut = lines.findLastIndex((line) => /pods updated/.test(line));
    expect(lines.findIndex((line) => line.includes(`apiservice/${name} created`))).toBeGreaterThan(rolledOut);
  });

  test('pass verify', async () => {
    await expectFindings(valid('sample-apiserver', 'nothing: three pods run the sample API server 0.37.2 from its preset'), name, asReader);
  });

  test('are forbidden to an ordinary user until RBAC allows access', async () => {
    // kubectl finds the resource in the discovery document of all groups. kube-apiserver updates it
    // some time after it serves the API.
    const refused = async (): Promise<string> => (await asUser(['get', versioned])).stderr;
    await expect.poll(refused, { timeout: 90_000, interval: 500 }).toContain('User "jane" cannot list resource "flunders"');
    await kubectlOk(['create', 'clusterrole', 'flunders', `--resource=${resource}`, '--verb=create,get,list,watch,delete']);
    await kubectlOk(['create', 'clusterrolebinding', 'flunders', '--clusterrole=flunders', '--user=jane']);
    await expect.poll(async () => (await asUser(['get', versioned])).exitCode, { timeout: 60_000 }).toBe(0);
  });

  test('let the user create, list and watch objects afterwards', async () => {
    const created = await asUser(['create', '-f', '-'], flunder('jane'));
    expect(created).toMatchObject({ exitCode: 0, stdout: 'flunder.wardle.example.com/jane created\n' });
    const listed = await asUser(['get', versioned, '-o', 'name']);
    expect(listed).toMatchObject({ exitCode: 0, stdout: 'flunder.wardle.example.com/jane\n' });
    const watching = asUser(['get', versioned, '-o', 'name', '--watch']);
    try {
      let output = '';
      watching.stdout.on('data', (chunk) => {
        output += chunk;
      });
      await expect.poll(() => output, { timeout: 60_000 }).toBe('flunder.wardle.example.com/jane\n');
      expect(await asUser(['create', '-f', '-'], flunder('jane-again'))).toMatchObject({ exitCode: 0 });
      await expect.poll(() => output, { timeout: 60_000 }).toBe('flunder.wardle.example.com/jane\nflunder.wardle.example.com/jane-again\n');
    } finally {
      watching.kill('SIGKILL');
      await watching;
    }
  });

  test('lose no request in a rolling restart', async () => {
    const pods = (await kubectlOk(['get', 'pods', '-n', 'wardle', '-l', 'app.kubernetes.io/name=wardle', '-o', 'name'])).trim().split('\n');
    const load = await startLoad({ path: '/apis/wardle.example.com/v1alpha1/namespaces/default/flunders', object: 'jane' });
    await kubectlOk(['rollout', 'restart', 'deployment/wardle', '-n', 'wardle']);
    await kubectlOk(['rollout', 'status', 'deployment/wardle', '-n', 'wardle', '--timeout=85s']);
    await kubectlOk(['wait', '--for=delete', '-n', 'wardle', '--timeout=85s', ...pods]);
    expectNoFailureDuringRestart(await load.stop());
  });
});

test('register waits for a Secret that is created late', async () => {
  const namespace = 'late-secret';
  const edit = (document: Document) => {
    document.addIn(['spec', 'server', 'volumes'], document.createNode({ name: 'more', secret: { secretName: 'late' } }));
    document.setIn(['spec', 'server', 'volumeMounts'], document.createNode([{ name: 'more', mountPath: '/more' }]));
  };
  const dir = await makeSampleProject({ name: namespace, api: 'wardle.example.com/v1alpha1', edit });
  const registering = apisvc(['register', '--timeout', '85s'], { cwd: dir });
  // It shows why the pods do not start before the Secret exists.
  await waitForOutput(registering, /secret "late" not found/);
  await kubectlOk(['create', 'secret', 'generic', 'late', '-n', namespace, '--from-literal=more=1']);
  const { exitCode, stdout, stderr } = await registering;
  await removeProject(namespace);
  expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('healthy') });
});
