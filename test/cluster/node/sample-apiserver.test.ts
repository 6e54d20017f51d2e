import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Document } from 'yaml';
import { apisvc, kubectl } from '../harness/commands.ts';
import { kubectlOk } from '../harness/projects.ts';
import { makeSampleProject } from '../harness/sample-project.ts';
import { userKubeconfig } from '../harness/users.ts';
import { asJane, expectFindings, sound } from '../laboratory/expect-findings.ts';

/**
 * The sample API server 0.37.2 in three pods, used by somebody who is no administrator. With the etcd that the preset puts into each pod there would be three
 * stores, and it depends on kube-apiserver's connections which of them a request finds; so the three share one.
 */

/** Free in every cluster of these specs; there is no DNS to find it by its name. */
const etcdAddress = '10.96.0.50';
const etcd = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'wardle' } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'etcd', namespace: 'wardle' },
      spec: { clusterIP: etcdAddress, selector: { app: 'etcd' }, ports: [{ port: 2379 }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'etcd', namespace: 'wardle', labels: { app: 'etcd' } },
      spec: {
        containers: [
          {
            name: 'etcd',
            image: 'registry.k8s.io/etcd:3.7.0-0',
            args: [
              '--data-dir=/data/etcd',
              '--listen-client-urls=http://0.0.0.0:2379',
              `--advertise-client-urls=http://${etcdAddress}:2379`,
            ],
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
          },
        ],
        volumes: [{ name: 'data', emptyDir: {} }],
      },
    },
  ],
};

const name = 'v1alpha1.wardle.example.com';
const resource = 'flunders.wardle.example.com';
/** Of this version alone: another spec serves the next one out of another store, and kubectl would take that for the better. */
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

  /** As the ordinary user. */
  const asUser = (args: readonly string[], input?: object) =>
    kubectl(args, { kubeconfig, ...(input ? { input: JSON.stringify(input) } : {}) });

  beforeAll(async () => {
    kubeconfig = await userKubeconfig('jane');
    await kubectlOk(['apply', '-f', '-'], etcd);
    const edit = (document: Document) => {
      document.setIn(['spec', 'server', 'replicas'], 3);
      document.setIn(['spec', 'server', 'args', 0], `--etcd-servers=http://${etcdAddress}:2379`);
      document.deleteIn(['spec', 'server', 'sidecars']);
      document.deleteIn(['spec', 'server', 'volumes']);
    };
    dir = await makeSampleProject({ name: 'wardle', api: 'wardle.example.com/v1alpha1', edit });
  });

  afterAll(async () => {
    await removeProject('wardle');
    await kubectl(['delete', 'clusterrole,clusterrolebinding', 'flunders', '--ignore-not-found']);
  });

  test('are registered when each of them serves the certificate', async () => {
    const { exitCode, stdout, stderr } = await apisvc(['register', '-C', dir, '--timeout', '80s']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain('3 of 3 endpoints ready');
    expect(stdout.match(/\(pod wardle-\S+\) serves CN=api\.wardle\.svc/g)).toHaveLength(3);
    const lines = stderr.split('\n');
    const rolledOut = lines.findLastIndex((line) => /pods updated/.test(line));
    expect(lines.findIndex((line) => line.includes(`apiservice/${name} created`))).toBeGreaterThan(rolledOut);
  });

  test('verify has no finding', async () => {
    await expectFindings(sound('sample-apiserver', 'nothing: the sample API server 0.37.2 from its preset, three pods'), name, asJane);
  });

  test('an ordinary user is refused until RBAC allows it', async () => {
    // kubectl learns of the resource when kube-apiserver has put it into the discovery document of all groups, some time after the API is served.
    const refused = async (): Promise<string> => (await asUser(['get', versioned])).stderr;
    await expect.poll(refused, { timeout: 90_000, interval: 500 }).toContain('User "jane" cannot list resource "flunders"');
    await kubectlOk(['create', 'clusterrole', 'flunders', `--resource=${resource}`, '--verb=create,get,list,watch,delete']);
    await kubectlOk(['create', 'clusterrolebinding', 'flunders', '--clusterrole=flunders', '--user=jane']);
    await expect.poll(async () => (await asUser(['get', versioned])).exitCode, { timeout: 30_000 }).toBe(0);
  });

  test('then creates, lists and watches', async () => {
    const created = await asUser(['create', '-f', '-'], flunder('jane'));
    expect(created).toMatchObject({ exitCode: 0, stdout: 'flunder.wardle.example.com/jane created\n' });
    const listed = await asUser(['get', versioned, '-o', 'name']);
    expect(listed).toMatchObject({ exitCode: 0, stdout: 'flunder.wardle.example.com/jane\n' });
    const watching = asUser(['get', versioned, '-o', 'name', '--watch']);
    try {
      let seen = '';
      watching.stdout.on('data', (chunk) => {
        seen += chunk;
      });
      await expect.poll(() => seen, { timeout: 30_000 }).toBe('flunder.wardle.example.com/jane\n');
      expect(await asUser(['create', '-f', '-'], flunder('jane-again'))).toMatchObject({ exitCode: 0 });
      await expect.poll(() => seen, { timeout: 30_000 }).toBe('flunder.wardle.example.com/jane\nflunder.wardle.example.com/jane-again\n');
    } finally {
      watching.kill('SIGKILL');
      await watching;
    }
  });
});

test('a Secret that comes late is waited for', async () => {
  const namespace = 'late-secret';
  const edit = (document: Document) => {
    document.addIn(['spec', 'server', 'volumes'], document.createNode({ name: 'more', secret: { secretName: 'late' } }));
    document.setIn(['spec', 'server', 'volumeMounts'], document.createNode([{ name: 'more', mountPath: '/more' }]));
  };
  const dir = await makeSampleProject({ name: namespace, api: 'wardle.example.com/v1alpha1', edit });
  const registering = apisvc(['register', '--timeout', '85s'], { cwd: dir });
  const failing = async () => (await kubectl(['get', 'events', '-n', namespace, '--field-selector=reason=FailedMount', '-o=name'])).stdout;
  await expect.poll(failing, { timeout: 30_000, interval: 500 }).toMatch(/\S/);
  await kubectlOk(['create', 'secret', 'generic', 'late', '-n', namespace, '--from-literal=more=1']);
  const { exitCode, stdout, stderr } = await registering;
  await removeProject(namespace);
  expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('healthy') });
  expect(stderr).toContain('secret "late" not found');
});
