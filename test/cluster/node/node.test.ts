import { readdirSync, readFileSync } from 'node:fs';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enter } from '../../../src/sandbox/real/network.ts';
import { kubectl } from '../harness/commands.ts';
import { nodeName } from '../harness/node/kubelet.ts';
import { kubectlOk } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';

const namespace = 'node-spec';
const inNamespace = ['--namespace', namespace];
const dataDir = '/data/node-spec';
const version = { etcdserver: expect.stringMatching(/^3\.7\./) };

/**
 * As restricted as the pods that `apisvc render` prints, to show that such pods run on the node.
 */
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'etcd', namespace, labels: { app: 'etcd' } },
  spec: {
    securityContext: { runAsNonRoot: true, runAsUser: 65532, fsGroup: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'etcd',
        image: 'registry.k8s.io/etcd:3.7.0-0',
        args: [`--data-dir=${dataDir}`, '--listen-client-urls=http://0.0.0.0:2379', '--advertise-client-urls=http://localhost:2379'],
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        // Without a request, it would have no processor time while other pods start.
        resources: { requests: { cpu: '100m' } },
        readinessProbe: { tcpSocket: { port: 2379 }, periodSeconds: 1 },
        volumeMounts: [
          { name: 'data', mountPath: '/data' },
          { name: 'secret', mountPath: '/secret' },
        ],
      },
    ],
    volumes: [
      { name: 'data', emptyDir: {} },
      { name: 'secret', secret: { secretName: 'secret' } },
    ],
  },
};

const secret = (value: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'secret', namespace }, stringData: { value } });

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'etcd', namespace },
  spec: { selector: { app: 'etcd' }, ports: [{ port: 80, targetPort: 2379 }] },
};

beforeAll(async () => {
  await kubectlOk(['create', 'namespace', namespace]);
  for (const object of [secret('old'), pod, service]) await kubectlOk(['apply', '-f', '-'], object);
  await kubectlOk(['wait', ...inNamespace, '--for=condition=Ready', 'pod/etcd', '--timeout=85s']);
});

afterAll(() => kubectl(['delete', 'namespace', namespace, '--wait=false']));

test('the node is Ready and has the version of its control plane', async () => {
  const { status } = JSON.parse(await kubectlOk(['get', 'node', nodeName, '-o', 'json']));
  const { serverVersion } = JSON.parse(await kubectlOk(['version', '-o', 'json']));
  expect(serverVersion.gitVersion).toMatch(`v${cluster.cell.kubernetes}.`);
  expect(status.nodeInfo).toMatchObject({ kubeletVersion: serverVersion.gitVersion });
  expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }));
});

test('kubectl logs and kubectl exec work', async () => {
  await expect.poll(() => kubectlOk(['logs', ...inNamespace, 'etcd']), { timeout: 60_000 }).toContain('ready to serve client requests');
  expect(await kubectlOk(['exec', ...inNamespace, 'etcd', '--', '/usr/local/bin/etcd', '--version'])).toMatch(/^etcd Version: 3\.7\./);
});

test('kubectl port-forward works', async () => {
  const forward = kubectl(['port-forward', ...inNamespace, 'pod/etcd', ':2379']);
  try {
    const [line] = await forward
      .iterable()
      [Symbol.asyncIterator]()
      .next()
      .then(({ value }) => [String(value)]);
    const [, port] = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line ?? '') ?? [];
    expect(await (await fetch(`http://127.0.0.1:${port}/version`)).json()).toMatchObject(version);
  } finally {
    forward.kill('SIGKILL');
    await forward;
  }
});

test('kube-proxy routes the cluster IP of a Service to its pod', async () => {
  const address = await kubectlOk(['get', ...inNamespace, 'service', 'etcd', '-o', 'jsonpath={.spec.clusterIP}']);
  const get = `fetch('http://${address}/version').then((r) => r.text()).then(console.log)`;
  const [nsenter = '', ...words] = enter(cluster.network);
  const { stdout } = await execa(nsenter, [...words, process.execPath, '-e', get], { timeout: 60_000 });
  expect(JSON.parse(stdout)).toMatchObject(version);
});

test('a changed Secret reaches a running pod within 20 seconds', async () => {
  const file = `/proc/${processWith(`--data-dir=${dataDir}`)}/root/secret/value`;
  expect(readFileSync(file, 'utf8')).toBe('old');
  await kubectlOk(['apply', '-f', '-'], secret('new'));
  await expect.poll(() => readFileSync(file, 'utf8'), { timeout: 20_000 }).toBe('new');
});

/** The PID of the process with this argument. */
function processWith(argument: string): string | undefined {
  return readdirSync('/proc').find((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(argument);
    } catch {
      return false; // the process has ended
    }
  });
}
