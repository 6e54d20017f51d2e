import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseDocument } from 'yaml';
import { connect } from '../../src/cluster/cluster.ts';
import { getObject, listObjects } from '../../src/cluster/objects.ts';
import { sendMergePatch } from '../../src/cluster/ownership.ts';
import { resources } from '../../src/cluster/resources.ts';
import { contents } from '../unit/project/folder.ts';
import { registeredDemo } from './harness.ts';

test('a rotation that is refused, because another APIService has insecureSkipTLSVerify, is aborted', async ({ signal }) => {
  const { cwd, box, run } = await registeredDemo();
  const cluster = await connect({ kubeconfig: box.env.KUBECONFIG }, {}, signal);
  onTestFinished(() => cluster.close());
  const name = 'v1.other.apisvc.dev';
  const body = {
    apiVersion: resources.APIService.apiVersion,
    kind: 'APIService',
    metadata: { name },
    spec: {
      ...{ group: 'other.apisvc.dev', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15 },
      ...{ service: { namespace: 'demo', name: 'demo', port: 443 }, insecureSkipTLSVerify: true },
    },
  };
  expect(await cluster.request({ method: 'POST', path: '/apis/apiregistration.k8s.io/v1/apiservices', body, signal })).toMatchObject({
    status: 201,
  });
  const specOf = async () => (await getObject(cluster, { resource: resources.APIService, namespace: undefined, name }, signal))?.spec;
  const before = await specOf();
  expect(await run('rotate', '-C', 'demo', '--ca')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`apiservice/${name} has insecureSkipTLSVerify`),
  });
  const next = join(cwd, 'demo', 'certs', 'next');
  expect(existsSync(next)).toBe(true);
  const { code, stderr } = await run('rotate', '-C', 'demo', '--abort', '--soak', '0s');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(existsSync(next)).toBe(false);
  expect(await specOf()).toEqual(before);
});

test('a Deployment that is scaled to 0 is refused before anything is changed', async ({ signal }) => {
  const { cwd, box, run } = await registeredDemo();
  const cluster = await connect({ kubeconfig: box.env.KUBECONFIG }, {}, signal);
  onTestFinished(() => cluster.close());
  const inDemo = (resource: (typeof resources)[keyof typeof resources], name: string) => ({ resource, namespace: 'demo', name });
  const scale = async (replicas: number) =>
    expect(await sendMergePatch(cluster, inDemo(resources.Deployment, 'demo'), { spec: { replicas } }, signal)).toMatchObject({
      status: 200,
    });
  const places = async () => ({
    files: contents(join(cwd, 'demo')),
    secret: await getObject(cluster, inDemo(resources.Secret, 'demo-tls'), signal),
    leases: await listObjects(cluster, { resource: resources.Lease, namespace: 'demo' }, signal),
  });
  const before = await places();
  await scale(0);
  for (const flags of [['--dry-run'], [], ['--ca', '--dry-run'], ['--ca'], ['--restart', 'never']]) {
    expect(await run('rotate', '-C', 'demo', ...flags)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /error: Deployment demo\/demo is scaled to 0, so nothing would serve the certificate\nnothing was changed\nfix: Scale the Deployment up before you run the same command again: kubectl -n demo scale deployment\/demo --replicas=1\n$/,
      ),
    });
  }
  expect(await places()).toEqual(before);
  expect(await run('rotate', '-C', 'demo', '--if-expires-within', '30d')).toMatchObject({ code: 0 });
  await scale(1);
  const { code, stderr } = await run('rotate', '-C', 'demo');
  expect({ code, stderr }).toMatchObject({ code: 0 });
});

test('a name in apisvc.yaml that the cluster or the CA does not have is refused, with the way out', async () => {
  const { cwd, run } = await registeredDemo();
  const file = join(cwd, 'demo', 'apisvc.yaml');
  const text = readFileSync(file, 'utf8');
  const edit = (path: string, value: unknown): void => {
    const document = parseDocument(text);
    document.setIn(path.split('.'), value);
    writeFileSync(file, document.toString());
  };
  edit('spec.service.name', 'other');
  for (const flags of [[], ['--dry-run'], ['--ca'], ['--ca', '--dry-run'], ['--abort']]) {
    const { code, stderr } = await run('rotate', '-C', 'demo', ...flags);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining(
        'error: apiservice/v1alpha1.demo.apisvc.dev points at Service demo/demo, not at Service demo/other\nnothing was changed\nfix: In apisvc.yaml, correct spec.service.name.\n',
      ),
    });
  }
  edit('spec.certificates.dnsNames', ['other.example.com']);
  const { code, stderr } = await run('rotate', '-C', 'demo');
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringMatching(
      /cannot issue a certificate for other\.example\.com: .*\nfix: To create a new CA: apisvc rotate -C demo --ca\nOr remove the names from spec\.certificates in apisvc\.yaml\.\n$/,
    ),
  });
  expect(await run('rotate', '-C', 'demo', '--ca', '--dry-run')).toMatchObject({ code: 0 });
});
