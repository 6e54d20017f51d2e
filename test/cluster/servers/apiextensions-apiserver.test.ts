import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectFiles } from '../../../src/project/project.ts';
import type { RunningProcess } from '../../../src/sandbox/shared/process.ts';
import { kubectl } from '../harness/commands.ts';
import { program } from '../harness/programs.ts';
import { editConfiguration, expectListed, getObject, kubectlOk, makeProject, verifyJson } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { deleteApiServices } from '../harness/registrations.ts';
import { delegation, startServer } from '../harness/servers.ts';
import { serviceAccountKubeconfig, userKubeconfig } from '../harness/users.ts';
import { registerAndStart } from './register-and-start.ts';

/**
 * A separate apiextensions-apiserver behind the aggregator. It stores its own CRDs and serves their
 * API group.
 */

const group = 'widgets.example.org';
const api = 'v1.widgets.example.org';
const namespace = 'widgets';
const outside = { address: cluster.network.address, port: 8460 };

let dir: string;
let server: RunningProcess | undefined;

const names = { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' };
const size = { type: 'object', properties: { size: { type: 'integer' } } };
const openAPIV3Schema = { type: 'object', properties: { spec: size } };
const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `widgets.${group}` },
  spec: { group, scope: 'Namespaced', names, versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }] },
};
const widget = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'one', namespace }, spec: { size: 3 } };

/**
 * kubectl arguments that connect to the server directly, and verify its certificate as the
 * aggregator does.
 */
const direct = (...args: string[]): string[] => [
  `--server=https://${outside.address}:${outside.port}`,
  `--certificate-authority=${projectFiles(dir).caCertificate}`,
  `--tls-server-name=api.${namespace}.svc`,
  ...args,
];

async function startWithCrd(): Promise<void> {
  const files = projectFiles(dir);
  const kubeconfig = await serviceAccountKubeconfig(namespace, namespace);
  server = await startServer('apiextensions-apiserver', program(cluster.programs, 'apiextensions-apiserver'), outside.port, [
    `--etcd-servers=${cluster.etcdUrl}`,
    `--etcd-prefix=/registry/${group}`,
    `--tls-cert-file=${files.certificate}`,
    `--tls-private-key-file=${files.key}`,
    `--kubeconfig=${kubeconfig}`,
    ...delegation(kubeconfig),
  ]);
  await kubectlOk(direct('create', '--raw', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', '-f', '-'), crd);
}

beforeAll(async () => {
  dir = await makeProject(namespace, outside, { api: `${group}/v1` });
  // The server lists the Services of conversion webhooks, and is not ready until it is allowed to.
  editConfiguration(dir, (document) => {
    document.setIn(['spec', 'server', 'rbac', 'rules', 0, 'resources'], document.createNode(['namespaces', 'services']));
  });
});

afterAll(async () => {
  await deleteApiServices(api);
  await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
  await server?.stop();
});

test('register adds the group of its CRD to the cluster', async () => {
  const { exitCode, stdout, stderr } = await registerAndStart(dir, startWithCrd);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  await expectListed(stderr, ['widgets', '-n', namespace]);
  expect(stdout).toContain(`✓ ${api}: healthy`);
  expect(stdout).toContain(`GET /apis/${group}/v1: 200, resources: widgets`);
  expect((await verifyJson([api])).exitCode).toBe(0);
});

describe('the API behaves like any other API', () => {
  test('kubectl creates, applies, gets, lists, watches and deletes', async () => {
    await kubectlOk(['create', '-f', '-'], widget);
    await kubectlOk(['apply', '--server-side', '--force-conflicts', '-f', '-'], { ...widget, spec: { size: 4 } });
    expect(await getObject('widget', 'one', '-n', namespace)).toMatchObject({ spec: { size: 4 } });
    expect(await kubectlOk(['get', 'widgets', '-A', '-o', 'name'])).toBe('widget.widgets.example.org/one\n');
    const events = await kubectlOk(['get', '--raw', `/apis/${group}/v1/namespaces/${namespace}/widgets?watch=1&timeoutSeconds=1`]);
    expect(JSON.parse(events)).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'one' } } });
    await kubectlOk(['delete', 'widget', 'one', '-n', namespace]);
    expect(await getObject('widget', 'one', '-n', namespace)).toBeUndefined();
  });

  test('the server enforces the schema of the CRD', async () => {
    const { exitCode, stderr } = await kubectl(['create', '-f', '-'], {
      input: JSON.stringify({ ...widget, spec: { size: 'big' } }),
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('spec.size in body must be of type integer') });
  });

  test('RBAC decides what a user can do', async () => {
    const kubeconfig = await userKubeconfig('wanda');
    const list = () => kubectl(['get', 'widgets', '-n', namespace], { kubeconfig });
    expect((await list()).stderr).toContain('User "wanda" cannot list resource "widgets"');
    await kubectlOk(['create', 'role', 'look', '-n', namespace, '--verb=list', `--resource=widgets.${group}`]);
    await kubectlOk(['create', 'rolebinding', 'look', '-n', namespace, '--role=look', '--user=wanda']);
    await expect.poll(async () => (await list()).exitCode, { timeout: 60_000 }).toBe(0);
  });
});

describe('limits of a separate apiextensions-apiserver', () => {
  test('the cluster does not list its CRDs', async () => {
    expect(await kubectlOk(['get', 'crds', '-o', 'name'])).not.toContain(group);
    const { items } = JSON.parse(await kubectlOk(direct('get', '--raw', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions')));
    expect(items).toMatchObject([{ metadata: { name: `widgets.${group}` } }]);
  });

  test('it does not serve /apis, so kubectl can create CRDs only with --raw', async () => {
    const { exitCode, stderr } = await kubectl(direct('get', 'crds'));
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('could not find the requested resource') });
    expect((await kubectl(direct('get', '--raw', '/apis'))).exitCode).toBe(1);
  });

  test('it does not publish the schema of its CRDs, so kubectl explain fails', async () => {
    const paths = JSON.parse(await kubectlOk(direct('get', '--raw', '/openapi/v3'))).paths;
    expect(Object.keys(paths)).toContain('apis/apiextensions.k8s.io/v1');
    expect(Object.keys(paths).join()).not.toContain(group);
    expect((await kubectl(['explain', 'widgets'])).exitCode).toBe(1);
  });
});
