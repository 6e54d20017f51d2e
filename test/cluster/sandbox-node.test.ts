import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localProgram } from '../../src/sandbox/node/local-program.ts';
import { apisvc as runApisvc } from './harness/commands.ts';
import { startHostEtcd } from './harness/host-etcd.ts';
import { program } from './harness/programs.ts';
import { emptyFolder } from './harness/projects.ts';
import { cluster } from './harness/provided.ts';
import { type SandboxNode, startSandboxNode } from './harness/sandbox-node.ts';

const name = 'v1alpha1.wardle.example.com';
const namespace = 'wardle';
const deployment = 'sample-apiserver';
const image = 'registry.k8s.io/e2e-test-images/sample-apiserver:1.29.2';
const dir = join(emptyFolder(), 'demo');

let etcd: Awaited<ReturnType<typeof startHostEtcd>>;
let node: SandboxNode;

const kubectl = (...args: string[]) => node.kubectl(args);
const kubectlOk = (...args: string[]) => node.kubectlOk(args);
const list = (kinds: string) => node.list(namespace, kinds);
const apisvc = (...args: string[]) => runApisvc(args, { cwd: dir, env: { KUBECONFIG: node.engine.kubeconfig } });
const onlyPod = async () => (await list('pods'))[0];

beforeAll(async () => {
  etcd = await startHostEtcd();
  const server = localProgram([program(cluster.programs, 'sample-apiserver'), `--etcd-servers=${etcd.url}`]);
  node = await startSandboxNode(new Map([[image, server]]));
});

afterAll(async () => {
  await node?.stop();
  await etcd?.process.stop();
});

describe('sample-apiserver as a process of this host', () => {
  test('register deploys it and finds it healthy', async () => {
    expect(await runApisvc(['init', dir, '--preset', 'sample-apiserver', '--yes'])).toMatchObject({ exitCode: 0, stderr: '' });
    const { exitCode, stdout, stderr } = await apisvc('register', '--timeout', '60s');
    expect({ exitCode, stderr, problems: node.problems() }).toMatchObject({ exitCode: 0, problems: [] });
    expect(stdout).toContain(`✓ ${name}: healthy`);
    expect(await kubectlOk('rollout', 'status', 'deployment', deployment, '-n', namespace)).toContain('successfully rolled out');
    expect(await kubectlOk('get', 'flunders', '-A')).toBe('');
  });

  test('the status of its pod shows which containers run', async () => {
    const pod = await onlyPod();
    expect(pod.status).toMatchObject({
      phase: 'Running',
      podIP: node.engine.podAddress,
      containerStatuses: [
        { name: deployment, ready: true, restartCount: 0, state: { running: {} } },
        { name: 'etcd', ready: false, state: { waiting: { reason: 'NotRunInSandbox' } } },
      ],
    });
    const slices = await list('endpointslices');
    expect(slices).toMatchObject([
      {
        metadata: { labels: { 'kubernetes.io/service-name': 'api', 'endpointslice.kubernetes.io/managed-by': 'apisvc-sandbox' } },
        endpoints: [
          {
            addresses: [node.engine.podAddress],
            conditions: { ready: true, serving: true, terminating: false },
            targetRef: { name: pod.metadata.name },
          },
        ],
      },
    ]);
  });

  test('kubectl logs shows its log, and the end of it with --tail', async () => {
    const log = (...args: string[]) => kubectlOk('logs', `deployment/${deployment}`, '-c', deployment, '-n', namespace, ...args);
    expect(await log()).toContain('Serving securely on');
    expect((await log('--tail', '2')).trimEnd().split('\n')).toHaveLength(2);
    const previous = await kubectl('logs', `deployment/${deployment}`, '-c', deployment, '-n', namespace, '--previous');
    expect(previous.stderr).toMatch(/previous terminated container "sample-apiserver" in pod "sample-apiserver-\w+-\w+" not found/);
    const etcd = await kubectl('logs', `deployment/${deployment}`, '-c', 'etcd', '-n', namespace);
    expect(etcd.stderr).toContain('is waiting to start: NotRunInSandbox');
  });

  test('a change of its Secret reaches the file within 20 seconds', async () => {
    const { uid } = (await onlyPod()).metadata;
    await kubectlOk('patch', 'secret', 'api-tls', '-n', namespace, '--type=merge', '-p', '{"data":{"extra":"bmV3"}}');
    const file = join(node.folderOf(uid), 'volumes', 'serving-cert', 'extra');
    await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8'), { timeout: 20_000 }).toBe('new');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('kubectl rollout restart replaces the pod', async () => {
    const before = await onlyPod();
    await kubectlOk('rollout', 'restart', 'deployment', deployment, '-n', namespace);
    expect(await kubectlOk('rollout', 'status', 'deployment', deployment, '-n', namespace, '--timeout=60s')).toContain(
      'successfully rolled out',
    );
    // The old pod may still be terminating.
    await expect.poll(async () => (await list('pods')).length, { timeout: 60_000 }).toBe(1);
    expect((await onlyPod()).metadata.name).not.toBe(before.metadata.name);
    expect((await apisvc('verify', '--wait', '--timeout', '60s')).exitCode).toBe(0);
    expect(await kubectlOk('rollout', 'history', 'deployment', deployment, '-n', namespace)).toMatch(/^1 .*\n2 /m);
  });

  test('deleting the Deployment removes everything that it owns', async () => {
    const { uid } = (await onlyPod()).metadata;
    expect(existsSync(node.folderOf(uid))).toBe(true);
    // An APIService without a server blocks the deletion of namespaces.
    await kubectlOk('delete', 'apiservice', name);
    await kubectlOk('delete', 'deployment', deployment, '-n', namespace);
    await expect.poll(() => list('pods,replicasets,endpointslices'), { timeout: 60_000 }).toEqual([]);
    expect(existsSync(node.folderOf(uid))).toBe(false);
  });
});
