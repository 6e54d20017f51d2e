import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/cluster/cluster.ts';
import { getObject } from '../../src/cluster/objects.ts';
import { resources } from '../../src/cluster/resources.ts';
import { registeredDemo } from './harness.ts';

const signal = AbortSignal.timeout(110_000);

test('a rotation that is refused, because another APIService has insecureSkipTLSVerify, is aborted', async () => {
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
