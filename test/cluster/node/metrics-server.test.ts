import { afterAll, describe, expect, test } from 'vitest';
import { apisvc, kubectl } from '../harness/commands.ts';
import { emptyFolder, kubectlOk, verifyJson } from '../harness/projects.ts';

/** metrics-server 0.9.0 from its preset as it is, on a node whose kubelet has a certificate of the cluster's CA. */

const name = 'v1beta1.metrics.k8s.io';
const dir = emptyFolder();

afterAll(async () => {
  await kubectl(['delete', 'apiservice', name, '--ignore-not-found']);
  await kubectl(['delete', 'deployment,service,secret,serviceaccount', '-n', 'kube-system', '-l', 'app.kubernetes.io/name=metrics-server']);
});

describe('metrics-server', () => {
  test('is registered by one init and one register', async () => {
    const init = await apisvc(['init', dir, '--preset', 'metrics-server', '--yes']);
    expect(init).toMatchObject({ exitCode: 0, stderr: '' });
    const { exitCode, stdout, stderr } = await apisvc(['register', '-C', dir, '--timeout', '80s']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain(`✓ ${name}: healthy`);
    expect(stdout).toMatch(/pod metrics-server-\w+-\w+\) serves CN=metrics-server\.kube-system\.svc/);
  });

  test('kubectl shows it Available, with a caBundle and without insecureSkipTLSVerify', async () => {
    const line = (await kubectlOk(['get', 'apiservice'])).split('\n').find((each) => each.includes('metrics'));
    expect(line?.split(/\s+/).slice(0, 3)).toEqual([name, 'kube-system/metrics-server', 'True']);
    const { spec } = JSON.parse(await kubectlOk(['get', 'apiservice', name, '-o', 'json']));
    expect(spec).toMatchObject({ caBundle: expect.stringMatching(/^LS0tLS1CRUdJTi/) });
    expect(spec.insecureSkipTLSVerify ?? false).toBe(false);
  });

  test('it serves the metrics of the node', async () => {
    const [{ metadata: node }] = JSON.parse(await kubectlOk(['get', 'nodes', '-o', 'json'])).items;
    const { kind, items } = JSON.parse(await kubectlOk(['get', '--raw', '/apis/metrics.k8s.io/v1beta1/nodes']));
    expect({ kind, items }).toMatchObject({
      kind: 'NodeMetricsList',
      items: [{ metadata: { name: node.name }, usage: { cpu: expect.stringMatching(/\d/), memory: expect.stringMatching(/^\d+Ki$/) } }],
    });
    expect(await kubectlOk(['top', 'nodes', '--no-headers'])).toMatch(new RegExp(`^${node.name} +\\d+m +\\d+% +\\d+Mi +\\d+%`));
  });

  test('verify has no finding, and looked into the pod for its certificate', async () => {
    const { exitCode, diagnosis } = await verifyJson([name]);
    expect({ exitCode, diagnosis }).toMatchObject({
      exitCode: 0,
      diagnosis: { verdict: 'healthy', apis: [{ findings: [], notChecked: [] }] },
    });
  });

  test('a second register changes nothing', async () => {
    const { exitCode, stdout } = await apisvc(['register', '-C', dir]);
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed/) });
  });
});
