import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { localProgram } from '../../src/sandbox/node/local-program.ts';
import { apisvc } from './harness/commands.ts';
import { emptyFolder } from './harness/projects.ts';
import { type SandboxNode, startSandboxNode } from './harness/sandbox-node.ts';

const namespace = 'programs';
let node: SandboxNode;
/** Longer than the longest back-off of a container. */
const patient = { timeout: 60_000 };

const kubectl = (...args: string[]) => node.kubectl(args);
const kubectlOk = (...args: string[]) => node.kubectlOk(args);
const pods = () => node.list(namespace, 'pods');
const only = async () => (await pods())[0]?.status?.containerStatuses?.[0];
const apply = (...items: object[]) => node.kubectlOk(['apply', '-n', namespace, '-f', '-'], { apiVersion: 'v1', kind: 'List', items });

const script = (text: string) => localProgram(['sh', '-c', text]);
const answering = 'require("http").createServer((_, answer) => answer.end(process.env.NAME)).listen(+process.argv[1])';
/** The programs by image. */
const programs = new Map([
  ['crasher', script('echo started; test -e "$CONFIG/good" || exit 3; exec sleep 1000')],
  ['ticker', script('while :; do echo tick; sleep 0.2; done')],
  ['nobody', script('exec sleep 1000')],
  ['twin', localProgram([process.execPath, '-e', answering, '{port}'])],
]);

beforeAll(async () => {
  node = await startSandboxNode(programs);
  await kubectlOk('create', 'namespace', namespace);
  await kubectlOk('wait', '--for=create', 'serviceaccount/default', '-n', namespace, '--timeout=60s');
});
afterAll(async () => {
  await node?.stop();
});

test('a pod waits for its volumes, crashes, and recovers when its ConfigMap is fixed', async () => {
  const volumes = [{ name: 'config', configMap: { name: 'config' } }];
  const container = { env: [{ name: 'CONFIG', value: '/etc/config' }], volumeMounts: [{ name: 'config', mountPath: '/etc/config' }] };
  await apply(deploymentOf('crasher', container, { volumes }));
  const mountEvents = () =>
    kubectlOk('get', 'events', '-n', namespace, '--field-selector=reason=FailedMount', '-o', 'jsonpath={.items[*].message}');
  await expect.poll(mountEvents, patient).toBe('MountVolume.SetUp failed for volume "config" : configmap "config" not found');
  expect(await only()).toMatchObject({ state: { waiting: { reason: 'ContainerCreating' } } });

  await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: { bad: '' } });
  // Each crash counts, also one before the first look.
  await expect.poll(only, patient).toMatchObject({
    restartCount: expect.toSatisfy((count: number) => count >= 1),
    state: { waiting: { reason: 'CrashLoopBackOff' } },
    lastState: { terminated: { exitCode: 3, reason: 'Error' } },
  });
  for (const previous of [[], ['--previous']])
    expect(await kubectlOk('logs', 'deployment/crasher', '-n', namespace, ...previous)).toBe('started\n');
  await kubectlOk('patch', 'configmap', 'config', '-n', namespace, '--type=merge', '-p', '{"data":{"good":""}}');
  await expect.poll(only, patient).toMatchObject({ ready: true, state: { running: {} } });
  expect(node.events).toContainEqual(expect.objectContaining({ kind: 'ended', container: 'crasher', exitCode: 3, againInMs: 1_000 }));
  await kubectlOk('delete', 'deployment', 'crasher', '-n', namespace);
  await expect.poll(pods, patient).toEqual([]);
});

test('two pods with the same port get separate ports, and the Service has both', async () => {
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
  await kubectlOk('rollout', 'status', 'deployment', 'twin', '-n', namespace, '--timeout=60s');
  const ready = async () => {
    const slices: Slice[] = await node.list(namespace, 'endpointslices');
    return slices.flatMap(({ endpoints, ports }) => endpoints.filter(({ conditions }) => conditions.ready).map(() => ports[0]?.port));
  };
  await expect.poll(async () => new Set(await ready()).size, patient).toBe(2);
  const names = (await pods()).map(({ metadata }: Named) => metadata.name);
  for (const pod of names) {
    const answer = await kubectlOk('get', '--raw', `/api/v1/namespaces/${namespace}/pods/${pod}:${(await ready())[0]}/proxy/`);
    expect(names).toContain(answer);
  }
  await kubectlOk('set', 'env', 'deployment/twin', 'CHANGED=yes', '-n', namespace);
  await kubectlOk('rollout', 'status', 'deployment', 'twin', '-n', namespace, '--timeout=60s');
  await expect
    .poll(async () => (await pods()).map(({ metadata }: Named) => metadata.name).filter((pod: string) => names.includes(pod)), patient)
    .toEqual([]);
  await kubectlOk('scale', 'deployment', 'twin', '--replicas=0', '-n', namespace);
  await expect.poll(pods, patient).toEqual([]);
});

test('kubectl logs -f follows a log until the container ends', async () => {
  await apply(deploymentOf('ticker', {}, {}));
  await kubectlOk('rollout', 'status', 'deployment', 'ticker', '-n', namespace, '--timeout=60s');
  const following = kubectl('logs', '-f', '--tail=0', 'deployment/ticker', '-n', namespace);
  await new Promise((resolve) => following.stdout.once('data', resolve));
  await kubectlOk('delete', 'deployment', 'ticker', '-n', namespace);
  const { exitCode, stdout } = await following;
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^(tick\n)+$/) });
});

test('a missing ServiceAccount is reported in the status of the Deployment', async () => {
  await apply(deploymentOf('nobody', {}, { serviceAccountName: 'nobody' }));
  const conditions = async () =>
    JSON.parse(await kubectlOk('get', 'deployment', 'nobody', '-n', namespace, '-o', 'json')).status?.conditions;
  const failure = {
    type: 'ReplicaFailure',
    status: 'True',
    reason: 'FailedCreate',
    message: expect.stringContaining('serviceaccount "nobody" not found'),
  };
  await expect.poll(conditions, patient).toContainEqual(expect.objectContaining(failure));
  await kubectlOk('create', 'serviceaccount', 'nobody', '-n', namespace);
  await kubectlOk('rollout', 'status', 'deployment', 'nobody', '-n', namespace, '--timeout=60s');
  expect(await conditions()).not.toContainEqual(expect.objectContaining({ type: 'ReplicaFailure' }));
});

test('register fails soon without a program, and suggests apisvc sandbox -- COMMAND', async () => {
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
    namespace,
    '--image',
    'example.com/other:1',
    '--yes',
  ];
  expect(await apisvc(init)).toMatchObject({ exitCode: 0, stderr: '' });
  const { exitCode, stderr } = await apisvc(['register'], { cwd: other, env: { KUBECONFIG: node.engine.kubeconfig } });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('image "example.com/other:1" is not available'),
  });
  expect(stderr).toContain('apisvc sandbox -- COMMAND');
});

test('the namespace can be deleted, and nothing failed', async () => {
  await kubectlOk('delete', 'namespace', namespace, '--timeout=60s');
  expect(node.problems()).toEqual([]);
});

interface Slice {
  readonly endpoints: readonly { readonly conditions: { readonly ready: boolean } }[];
  readonly ports: readonly { readonly port: number }[];
}

interface Named {
  readonly metadata: { readonly name: string };
}

/** Deployment, container, image and program have the same name. */
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
