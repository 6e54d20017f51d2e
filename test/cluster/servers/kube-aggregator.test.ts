import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectFiles } from '../../../src/project/project.ts';
import { kubernetesServiceAddress } from '../../../src/sandbox/shared/engine.ts';
import { lastLines } from '../../../src/sandbox/shared/process.ts';
import { apisvc, kubectl } from '../harness/commands.ts';
import { program } from '../harness/programs.ts';
import { codesOf, emptyFolder, expectListed, getObject, kubectlOk, moveOutside, verifyJson } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { startProcess, startSampleApiserver, startServer } from '../harness/servers.ts';
import { serviceAccountKubeconfig } from '../harness/users.ts';
import { wardleAccess } from '../harness/wardle.ts';
import { aggregatorFlags, kubeApiserverApiService, kubeconfigFor } from './aggregator.ts';
import { registerAndStart } from './register-and-start.ts';
import { type Stoppable, serveServiceAddress } from './service-address.ts';

/**
 * A standalone kube-aggregator in front of kube-apiserver, with an API that is registered only
 * there.
 */

const own = 'front';
const namespace = 'front-wardle';
const api = 'v1alpha1.wardle.example.com';
const path = '/apis/wardle.example.com/v1alpha1';
const port = 8462;
const backend = { address: cluster.network.address, port: 8461 };
const dir = join(emptyFolder(), 'demo');
const files = projectFiles(dir);
const kubeconfig = kubeconfigFor(port);
const front = { env: { KUBECONFIG: kubeconfig } };
const atFront = (...args: string[]): string[] => ['--kubeconfig', kubeconfig, ...args];

const started: Stoppable[] = [];
let flags: string[];

beforeAll(async () => {
  flags = await aggregatorFlags(own);
});

afterAll(async () => {
  await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
  await kubectl(['delete', '--wait=false', '--ignore-not-found', '-f', '-'], { input: wardleAccess(own) });
  await kubectl(['delete', 'clusterrole,clusterrolebinding', `${own}:services`, '--ignore-not-found']);
  await kubectl([
    'delete',
    'clusterroles,clusterrolebindings,rolebindings',
    '-n',
    'kube-system',
    '-l',
    `app.kubernetes.io/name=${namespace}`,
  ]);
  await Promise.all(started.map((each) => each.stop()));
});

test('the released command exits at startup', async () => {
  const address = [`--bind-address=${cluster.network.address}`, `--secure-port=${port}`];
  const aggregator = startProcess('kube-aggregator', program(cluster.programs, 'kube-aggregator'), [...address, ...flags]);
  started.push(aggregator);
  await expect.poll(() => aggregator.ended(), { timeout: 60_000 }).toBe('exited with code 1');
  expect(lastLines(aggregator, 1).join()).toContain('unable to get openapi models: OpenAPIV3 config must not be nil');
});

describe('with OpenAPI v3 models', () => {
  beforeAll(async () => {
    started.push(await startServer('front', program(cluster.programs, 'aggregator-front'), port, flags));
  });

  test('it serves only APIServices itself', async () => {
    expect(await kubectlOk(atFront('api-versions'))).toBe('apiregistration.k8s.io/v1\n');
  });

  test('it proxies groups to kube-apiserver when their APIService names Service default/kubernetes', async () => {
    started.push(await serveServiceAddress(kubernetesServiceAddress, Number(new URL(cluster.server).port)));
    for (const group of ['', 'authorization.k8s.io', 'discovery.k8s.io', 'rbac.authorization.k8s.io']) {
      await kubectlOk(atFront('apply', '--server-side', '-f', '-'), kubeApiserverApiService(group));
    }
    await kubectlOk(atFront('wait', '--for=condition=Available', 'apiservices', '--all', '--timeout=60s'));
    const found = await kubectlOk(atFront('get', '--raw', `/api/v1/namespaces/${own}`));
    expect(JSON.parse(found)).toMatchObject({ kind: 'Namespace', metadata: { name: own } });
    // It also lists the core group at /apis, without resources, and kubectl relies on that list.
    const { exitCode, stderr } = await kubectl(atFront('get', 'namespaces'));
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(`doesn't have a resource type "namespaces"`) });
  });

  test('register works with its address as with any cluster', async () => {
    const init = await apisvc(['init', dir, '--preset', 'sample-apiserver', '--name', namespace, '--namespace', namespace, '--yes']);
    expect(init).toMatchObject({ exitCode: 0, stderr: '' });
    moveOutside(dir, backend);
    const start = async () => {
      const { spec } = JSON.parse(await kubectlOk(['get', 'service', 'api', '-n', namespace, '-o', 'json']));
      started.push(await serveServiceAddress(spec.clusterIP, backend.port));
      const account = await serviceAccountKubeconfig(namespace, namespace);
      const pair = { certFile: files.certificate, keyFile: files.key };
      started.push(await startSampleApiserver({ ...pair, port: backend.port, kubeconfig: account }));
    };
    const { exitCode, stdout, stderr } = await registerAndStart(dir, start, front.env);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    await expectListed(stderr, atFront('flunders', '-n', namespace));
    expect(stdout).toContain(`✓ ${api}: healthy`);
    expect((await verifyJson(['-C', dir], front)).diagnosis).toMatchObject({ verdict: 'healthy', apis: [{ name: api, notChecked: [] }] });
  });

  test('only kube-aggregator serves the API', async () => {
    const flunder = { apiVersion: 'wardle.example.com/v1alpha1', kind: 'Flunder', metadata: { name: 'one', namespace } };
    await kubectlOk(atFront('create', '-f', '-'), flunder);
    expect(await kubectlOk(atFront('get', 'flunders', '-n', namespace, '-o', 'name'))).toBe('flunder.wardle.example.com/one\n');
    expect(await getObject('apiservice', api)).toBeUndefined();
    expect((await kubectl(['get', '--raw', path])).exitCode).toBe(1);
  });

  test('it verifies the serving certificate', async () => {
    const patch = (file: string) => JSON.stringify({ spec: { caBundle: readFileSync(file, 'base64') } });
    await kubectlOk(atFront('patch', 'apiservice', api, '--type=merge', '-p', patch(cluster.files.ca.cert)));
    const message = '-o=jsonpath={.status.conditions[0].message}';
    await expect
      .poll(() => kubectlOk(atFront('get', 'apiservice', api, message)), { timeout: 60_000 })
      .toContain('x509: certificate signed by unknown authority');
    expect(codesOf((await verifyJson([api], front)).diagnosis)).toEqual(['cert/unknown-authority']);
    expect(await apisvc(['register'], { cwd: dir, ...front })).toMatchObject({ exitCode: 0 });
  });
});
