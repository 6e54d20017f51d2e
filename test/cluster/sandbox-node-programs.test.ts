import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { localProgram } from '../../src/sandbox/node/local-program.ts';
import { apisvc } from './harness/commands.ts';
import { emptyFolder } from './harness/projects.ts';
import { type SandboxNode, startSandboxNode } from './harness/sandbox-node.ts';

const own = 'programs';
let node: SandboxNode;

const kubectl = (...args: string[]) => node.kubectl(args);
const kubectlOk = (...args: string[]) => node.kubectlOk(args);
const pods = () => node.list(own, 'pods');
const only = async () => (await pods())[0]?.status?.containerStatuses?.[0];
const apply = (...items: object[]) => node.kubectlOk(['apply', '-n', own, '-f', '-'], { apiVersion: 'v1', kind: 'List', items });

const script = (text: string) => localProgram(['sh', '-c', text]);
const answering = 'require("http").createServer((_, answer) => answer.end(process.env.NAME)).listen(+process.argv[1])';
/** By image. */
const programs = new Map([
  ['crasher', script('echo begun; test -e "$CONFIG/good" || exit 3; exec sleep 1000')],
  ['ticker', script('while :; do echo tick; sleep 0.2; done')],
  ['nobody', script('exec sleep 1000')],
  ['twin', localProgram([process.execPath, '-e', answering, '{port}'])],
]);

beforeAll(async () => {
  node = await startSandboxNode(programs);
  await kubectlOk('create', 'namespace', own);
  await kubectlOk('wait', '--for=create', 'serviceaccount/default', '-n', own, '--timeout=30s');
});
afterAll(async () => {
  await node?.stop();
});

test('waits for what it mounts, crashes, and recovers when what it read is put right', async () => {
  const volumes = [{ name: 'config', configMap: { name: 'config' } }];
  const container = { env: [{ name: 'CONFIG', value: '/etc/config' }], volumeMounts: [{ name: 'config', mountPath: '/etc/config' }] };
  await apply(deploymentOf('crasher', container, { volumes }));
  const mountEvents = () =>
    kubectlOk('get', 'events', '-n', own, '--field-selector=reason=FailedMount', '-o', 'jsonpath={.items[*].message}');
  await expect.poll(mountEvents).toBe('MountVolume.SetUp failed for volume "config" : configmap "config" not found');
  expect(await only()).toMatchObject({ state: { waiting: { reason: 'ContainerCreating' } } });

  await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: { bad: '' } });
  await expect.poll(only, { timeout: 15_000 }).toMatchObject({
    restartCount: 1,
    state: { waiting: { reason: 'CrashLoopBackOff' } },
    lastState: { terminated: { exitCode: 3, reason: 'Error' } },
  });
  for (const previous of [[], ['--previous']])
    expect(await kubectlOk('logs', 'deployment/crasher', '-n', own, ...previous)).toBe('begun\n');
  await kubectlOk('patch', 'configmap', 'config', '-n', own, '--type=merge', '-p', '{"data":{"good":""}}');
  await expect.poll(only, { timeout: 15_000 }).toMatchObject({ ready: true, state: { running: {} } });
  expect(node.events).toContainEqual(expect.objectContaining({ kind: 'ended', container: 'crasher', exitCode: 3, againInMs: 1_000 }));
  await kubectlOk('delete', 'deployment', 'crasher', '-n', own);
  await expect.poll(pods, { timeout: 15_000 }).toEqual([]);
});

test('of two pods with one port each has a port of its own, and the Service both', async () => {
  await apply(
    deploymentOf(
      'twin',
      {
        ports: [{ name: 'web', containerPort: 18080 }],
        env: [{ name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      },
      {},
      2,
    ),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'twin' },
      spec: { selector: { app: 'twin' }, ports: [{ port: 80, targetPort: 'web' }] },
    },
  );
  await kubectlOk('rollout', 'status', 'deployment', 'twin', '-n', own, '--timeout=30s');
  const ready = async () => {
    const slices: Slice[] = await node.list(own, 'endpointslices');
    return slices.flatMap(({ endpoints, ports }) => endpoints.filter(({ conditions }) => conditions.ready).map(() => ports[0]?.port));
  };
  await expect.poll(async () => new Set(await ready()).size).toBe(2);
  const names = (await pods()).map(({ metadata }: Named) => metadata.name);
  for (const pod of names) {
    const answer = await kubectlOk('get', '--raw', `/api/v1/namespaces/${own}/pods/${pod}:${(await ready())[0]}/proxy/`);
    expect(names).toContain(answer);
  }
  await kubectlOk('set', 'env', 'deployment/twin', 'CHANGED=yes', '-n', own);
  await kubectlOk('rollout', 'status', 'deployment', 'twin', '-n', own, '--timeout=30s');
  await expect
    .poll(async () => (await pods()).map(({ metadata }: Named) => metadata.name).filter((pod: string) => names.includes(pod)), {
      timeout: 15_000,
    })
    .toEqual([]);
  await kubectlOk('scale', 'deployment', 'twin', '--replicas=0', '-n', own);
  await expect.poll(pods, { timeout: 15_000 }).toEqual([]);
});

test('kubectl logs -f goes on with a log, to the end of the container', async () => {
  await apply(deploymentOf('ticker', {}, {}));
  await kubectlOk('rollout', 'status', 'deployment', 'ticker', '-n', own, '--timeout=30s');
  const following = kubectl('logs', '-f', '--tail=0', 'deployment/ticker', '-n', own);
  await new Promise((resolve) => following.stdout.once('data', resolve));
  await kubectlOk('delete', 'deployment', 'ticker', '-n', own);
  const { exitCode, stdout } = await following;
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^(tick\n)+$/) });
});

test('a pod without ServiceAccount is refused, and the Deployment says so', async () => {
  await apply(deploymentOf('nobody', {}, { serviceAccountName: 'nobody' }));
  const conditions = async () => JSON.parse(await kubectlOk('get', 'deployment', 'nobody', '-n', own, '-o', 'json')).status?.conditions;
  const failure = {
    type: 'ReplicaFailure',
    status: 'True',
    reason: 'FailedCreate',
    message: expect.stringContaining('serviceaccount "nobody" not found'),
  };
  await expect.poll(conditions).toContainEqual(expect.objectContaining(failure));
  await kubectlOk('create', 'serviceaccount', 'nobody', '-n', own);
  await kubectlOk('rollout', 'status', 'deployment', 'nobody', '-n', own, '--timeout=30s');
  expect(await conditions()).not.toContainEqual(expect.objectContaining({ type: 'ReplicaFailure' }));
});

test('without a program register ends soon and says how to have one', async () => {
  const other = join(emptyFolder(), 'other');
  const init = [
    'init',
    other,
    '--preset',
    'custom',
    '--api',
    'other.example.com/v1',
    '--name',
    'other',
    '--namespace',
    own,
    '--image',
    'example.com/other:1',
    '--yes',
  ];
  expect(await apisvc(init)).toMatchObject({ exitCode: 0, stderr: '' });
  const start = performance.now();
  const { exitCode, stderr } = await apisvc(['register'], { cwd: other, env: { KUBECONFIG: node.engine.kubeconfig } });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('image "example.com/other:1" is not here') });
  expect(stderr).toContain('apisvc sandbox -- COMMAND');
  expect(performance.now() - start).toBeLessThan(15_000);
});

test('with the namespace everything goes, and nothing was in the way', async () => {
  await kubectlOk('delete', 'namespace', own, '--timeout=60s');
  expect(node.troubles()).toEqual([]);
});

interface Slice {
  readonly endpoints: readonly { readonly conditions: { readonly ready: boolean } }[];
  readonly ports: readonly { readonly port: number }[];
}

interface Named {
  readonly metadata: { readonly name: string };
}

/** Deployment, container, image and program have one name. */
function deploymentOf(name: string, container: object, podSpec: object, replicas = 1): object {
  const labels = { app: name };
  const spec = { containers: [{ name, image: name, ...container }], ...podSpec };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}
