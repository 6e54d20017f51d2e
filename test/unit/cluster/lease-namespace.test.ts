import { expect, test } from 'vitest';
import { acquireRotationLease } from '../../../src/cluster/lease.ts';
import { answer, clusterOf, never, notFound, status } from './kube-api.ts';

test('the Lease of a rotation cannot be created in a namespace that does not exist', async () => {
  const cluster = await clusterOf(({ method, url }, response) => {
    const missing = status(404, 'NotFound', 'namespaces "wardle" not found', { name: 'wardle', kind: 'namespaces' });
    answer(response, 404, method === 'POST' ? missing : notFound(url));
  });
  const service = { namespace: 'wardle', name: 'api' };
  const holder = { user: 'alice', host: 'laptop', id: '7b0f5a52-93a5-4f0e-8a11-0c6a3f1f0a01' };
  await expect(acquireRotationLease(cluster, { service, project: 'wardle/api', holder, signal: never })).rejects.toMatchObject({
    exitCode: 1,
    message: 'namespace "wardle" of Service "api" not found, so nothing serves the API\nnothing was changed',
    fix: 'Remove what is left of the registration: apisvc unregister\nThen register the project again: apisvc register',
  });
});
