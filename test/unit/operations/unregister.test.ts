import { expect, test } from 'vitest';
import { refOf } from '../../../src/cluster/objects.ts';
import { projectAnnotation } from '../../../src/manifests/labels.ts';
import { unregister } from '../../../src/operations/unregister.ts';
import { answer, clusterOf, never, notFound } from '../cluster/kube-api.ts';
import { managedBy, service, withMetadata } from './objects.ts';
import { rejection } from './waiting.ts';

const created = withMetadata(service, {
  uid: '1',
  labels: { 'app.kubernetes.io/managed-by': 'apisvc' },
  annotations: { [projectAnnotation]: 'wardle/api' },
  ...managedBy(['apisvc', 'Apply']),
});

test('a rotation that began while the user read the plan is refused, and nothing is changed', async () => {
  const writes: string[] = [];
  let renewals = 0;
  const cluster = await clusterOf(({ method, url }, response) => {
    if (method !== 'GET') writes.push(`${method} ${url}`);
    if (url.endsWith('/leases/apisvc-rotation-api')) {
      renewals += 1;
      const renewTime = `2026-05-01T10:00:0${renewals % 10}.000000Z`;
      const spec = { holderIdentity: 'alice@laptop', acquireTime: '2026-05-01T10:00:00.000000Z', renewTime, leaseDurationSeconds: 1 };
      const metadata = { name: 'apisvc-rotation-api', namespace: 'wardle', resourceVersion: `${renewals}` };
      return answer(response, 200, { metadata, spec });
    }
    if (url.includes('/leases?')) return answer(response, 200, { metadata: { resourceVersion: '1' }, items: [] });
    answer(response, 404, notFound(url));
  });
  const plan = {
    project: 'wardle/api',
    targets: [{ ref: refOf(created), found: created, action: 'delete' as const }],
    evidence: [],
  };
  const subject = { project: 'wardle/api' };
  const running = unregister(cluster, { subject, plan, keepSecrets: false, signal: never, onProgress: () => {} });
  expect(await rejection(running)).toMatchObject({
    exitCode: 1,
    message: 'alice@laptop has been changing the certificate of Service wardle/api since 2026-05-01T10:00:00Z\nnothing was changed',
  });
  expect(writes).toEqual([]);
});
