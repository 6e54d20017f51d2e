import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectFiles } from '../../../src/project/project.ts';
import type { RunningProcess } from '../../../src/sandbox/shared/process.ts';
import { apisvc, kubectl } from '../harness/commands.ts';
import { program } from '../harness/programs.ts';
import { editConfiguration, emptyFolder, kubectlOk, moveOutside, verifyJson } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { conditions, deleteApiServices, passed } from '../harness/registrations.ts';
import { delegation, startServer } from '../harness/servers.ts';
import { serviceAccountKubeconfig } from '../harness/users.ts';
import { registerAndStart } from './register-and-start.ts';

/**
 * The test adapter of sigs.k8s.io/custom-metrics-apiserver: one Service behind three APIServices of
 * two groups.
 */

const namespace = 'custom-metrics';
const apis = ['custom.metrics.k8s.io/v1beta1', 'custom.metrics.k8s.io/v1beta2', 'external.metrics.k8s.io/v1beta1'];
const names = ['v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io', 'v1beta1.external.metrics.k8s.io'];
const { address } = cluster.network;
const port = 8464;
const dir = emptyFolder();
const metric = (version: string) => `/apis/custom.metrics.k8s.io/${version}/namespaces/default/services/kubernetes/packets-per-second`;

let adapter: RunningProcess | undefined;

async function startAdapter(): Promise<void> {
  const files = projectFiles(dir);
  const kubeconfig = await serviceAccountKubeconfig(namespace, 'test-adapter');
  adapter = await startServer('test-adapter', program(cluster.programs, 'test-adapter'), port, [
    `--tls-cert-file=${files.certificate}`,
    `--tls-private-key-file=${files.key}`,
    `--lister-kubeconfig=${kubeconfig}`,
    ...delegation(kubeconfig),
  ]);
}

const raw = async (path: string) => JSON.parse(await kubectlOk(['get', '--raw', path]));

beforeAll(async () => {
  const identity = ['--name', 'test-adapter', '--namespace', namespace, '--service', 'custom-metrics-apiserver'];
  const served = apis.flatMap((api) => ['--api', api]);
  const init = await apisvc(['init', dir, '--preset', 'custom', ...served, '--image', 'none', ...identity, '--yes']);
  expect(init).toMatchObject({ exitCode: 0, stderr: '' });
  moveOutside(dir, { address, port });
  // The objects that the metrics describe (test-adapter-deploy/testing-adapter.yaml,
  // custom-metrics-resource-reader).
  editConfiguration(dir, (document) => {
    const reader = { apiGroups: [''], resources: ['namespaces', 'pods', 'services'], verbs: ['get', 'list', 'watch'] };
    document.setIn(['spec', 'server', 'rbac', 'rules', 0], document.createNode(reader));
  });
});

afterAll(async () => {
  await deleteApiServices(...names);
  await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
  await adapter?.stop();
});

test('one project registers all three APIServices', async () => {
  const { exitCode, stdout, stderr } = await registerAndStart(dir, startAdapter);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  for (const name of names) expect(stdout).toContain(`✓ ${name} `);
  expect(stdout).toContain('3 APIs: 3 healthy');
  const written = await conditions();
  for (const name of names) expect(written.get(name)).toMatch(passed);
  const specs = await Promise.all(names.map(async (name) => JSON.parse(await kubectlOk(['get', 'apiservice', name, '-o', 'json'])).spec));
  for (const spec of specs) {
    expect(spec).toMatchObject({ service: { namespace, name: 'custom-metrics-apiserver', port: 443 }, caBundle: specs[0].caBundle });
    expect(spec.insecureSkipTLSVerify ?? false).toBe(false);
  }
});

test.each(apis)('kubectl get --raw /apis/%s lists the resources', async (api) => {
  expect(await raw(`/apis/${api}`)).toMatchObject({ kind: 'APIResourceList', groupVersion: api });
});

test('both versions return a metric that was written to the adapter', async () => {
  const written = await fetch(`http://${address}:8080/write-metrics/namespaces/default/services/kubernetes/packets-per-second`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify('300m'),
  });
  expect(written.status).toBe(200);
  const describedObject = { kind: 'Service', namespace: 'default', name: 'kubernetes' };
  expect((await raw(metric('v1beta1'))).items).toMatchObject([{ describedObject, metricName: 'packets-per-second', value: '300m' }]);
  expect((await raw(metric('v1beta2'))).items).toMatchObject([{ describedObject, metric: { name: 'packets-per-second' }, value: '300m' }]);
  const { items } = await raw('/apis/external.metrics.k8s.io/v1beta1/namespaces/default/other-external-metric');
  expect(items).toMatchObject([{ metricName: 'other-external-metric', value: '44' }]);
});

test('verify reports all of them as healthy', async () => {
  const { exitCode, diagnosis } = await verifyJson(['-C', dir]);
  expect(exitCode).toBe(0);
  expect(diagnosis.apis).toMatchObject(names.map((name) => ({ name, verdict: 'healthy', findings: [], notChecked: [] })));
});
