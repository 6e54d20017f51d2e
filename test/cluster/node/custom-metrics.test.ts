import { execa } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import { apisvc, kubectl } from '../harness/commands.ts';
import { editConfiguration, emptyFolder, kubectlOk } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { expectFindings, valid } from '../laboratory/expect-findings.ts';

/**
 * The test adapter of sigs.k8s.io/custom-metrics-apiserver 1.37.0: one project registers one
 * Service for three APIServices.
 */

const apis = ['custom.metrics.k8s.io/v1beta1', 'custom.metrics.k8s.io/v1beta2', 'external.metrics.k8s.io/v1beta1'];
const names = apis.map((api) => api.split('/').reverse().join('.'));
const dir = emptyFolder();

afterAll(async () => {
  await kubectl(['delete', 'apiservices', '--ignore-not-found', ...names]);
  await kubectl(['delete', 'namespace', 'custom-metrics', '--ignore-not-found', '--wait=false']);
});

describe('a metrics adapter', () => {
  test('is registered for three APIs with one command', async () => {
    const identity = ['--name', 'test-adapter', '--namespace', 'custom-metrics', '--image', 'docker.io/library/test-adapter:1.37.0'];
    const init = await apisvc(['init', dir, '--preset', 'custom', ...apis.flatMap((api) => ['--api', api]), ...identity, '--yes']);
    expect(init).toMatchObject({ exitCode: 0, stderr: '' });
    editConfiguration(dir, (document) => {
      // The RBAC rules from upstream's testing-adapter.yaml, and the port where the adapter accepts
      // metrics.
      const read = { apiGroups: [''], resources: ['namespaces', 'pods', 'services'], verbs: ['get', 'list', 'watch'] };
      document.setIn(['spec', 'server', 'rbac', 'rules', 0], document.createNode(read));
      document.setIn(['spec', 'service', 'portName'], 'https');
      document.setIn(['spec', 'service', 'extraPorts'], document.createNode([{ name: 'http', port: 80, targetPort: 8080 }]));
    });
    // There are three APIs, and kube-apiserver refreshes its discovery document once a minute.
    const { exitCode, stdout, stderr } = await apisvc(['register', '-C', dir, '--timeout', '150s'], { timeout: 160_000 });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    for (const name of names) expect(stdout).toContain(`✓ ${name} `);
    expect(stdout).toContain(`${names.length} APIs: ${names.length} healthy`);
  });

  test('has three Available APIServices with the same caBundle', async () => {
    const { items } = JSON.parse(await kubectlOk(['get', 'apiservices', '-l', 'app.kubernetes.io/name=test-adapter', '-o', 'json']));
    // biome-ignore lint/suspicious/noExplicitAny: objects as kubectl prints them.
    expect(items.map(({ metadata, status }: any) => [metadata.name, status.conditions[0].status])).toEqual(
      names.toSorted().map((name) => [name, 'True']),
    );
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    expect(new Set(items.map(({ spec }: any) => spec.caBundle)).size).toBe(1);
    for (const each of names)
      await expectFindings(
        valid(`test-adapter-${each}`, `nothing: the test adapter of custom-metrics-apiserver 1.37.0 serves ${each}`),
        each,
      );
  });

  test('returns a written metric through kube-apiserver', async () => {
    const at = 'namespaces/default/services/kubernetes/test-metric';
    const service = JSON.parse(await kubectlOk(['get', 'service', '-n', 'custom-metrics', 'test-adapter', '-o', 'json']));
    const url = `http://${service.spec.clusterIP}/write-metrics/${at}`;
    const post = `fetch('${url}', {method: 'POST', headers: {'content-type': 'application/json'}, body: '"300m"'}).then(({status}) => console.log(status))`;
    // The cluster IP is reachable only in the network namespace of the cluster. This port has no
    // TLS.
    expect(await execa('nsenter', [`--net=/run/netns/${cluster.network.name}`, process.execPath, '-e', post])).toMatchObject({
      stdout: '200',
    });
    const read = JSON.parse(await kubectlOk(['get', '--raw', `/apis/custom.metrics.k8s.io/v1beta2/${at}`]));
    expect(read).toMatchObject({ kind: 'MetricValueList', items: [{ metric: { name: 'test-metric' }, value: '300m' }] });
    const external = JSON.parse(
      await kubectlOk(['get', '--raw', '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/my-external-metric']),
    );
    expect(external).toMatchObject({ kind: 'ExternalMetricValueList' });
  });
});
