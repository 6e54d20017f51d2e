import { describe, expect, test } from 'vitest';
import { formerAnnotation } from '../../../../src/cluster/former.ts';
import { type Holder, identityOf, type Journal, journalAnnotation } from '../../../../src/cluster/rotation-lease.ts';
import { projectAnnotation } from '../../../../src/manifests/labels.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import { findSecured, undoSecure } from '../../../../src/operations/secure/undo.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';
import { apiService, managedBy, withMetadata } from '../objects.ts';
import { rejection } from '../waiting.ts';

const alice: Holder = { user: 'alice', host: 'laptop', id: '7b0f5a52-93a5-4f0e-8a11-0c6a3f1f0a01' };

const bob: Holder = { user: 'bob', host: 'ci', id: '1c9d6be4-5b58-4c0e-9d5e-6f2f6f0b0b02' };

const journal: Journal = {
  newCertificate: 'new',
  kind: 'leaf',
  direction: 'forward',
  step: 'secret',
  number: 2,
  steps: 4,
  title: 'Writing the Secret',
  started: '2026-11-28T10:00:00.123Z',
  holder: 'alice@laptop',
};

/** An APIService that `secure` changed. */
const secured = withMetadata(apiService, {
  annotations: { [projectAnnotation]: 'wardle/demo', [formerAnnotation]: '[{"path":["f:spec","f:caBundle"]}]' },
  ...managedBy(['apisvc', 'Apply']),
});

/** The Deployment of its server, which `secure` changed too. */
const deployment: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { ...secured.metadata, name: 'demo', namespace: 'wardle' },
};

/** A cluster with that APIService, and with the Lease of a rotation that each look changes. */
async function clusterWith(lease?: (look: number) => object, more: readonly KubeObject[] = []) {
  const writes: string[] = [];
  let looks = 0;
  const cluster = await clusterOf(({ method, url }, response) => {
    const path = url.split('?')[0] ?? '';
    if (method !== 'GET') writes.push(`${method} ${path}`);
    if (path.endsWith('/apiservices')) answer(response, 200, { metadata: { resourceVersion: '1' }, items: [secured, ...more] });
    else if (path.endsWith('/deployments')) answer(response, 200, { metadata: { resourceVersion: '1' }, items: [deployment] });
    else if (path.endsWith('/leases/apisvc-rotation-api')) {
      looks += 1;
      if (lease) answer(response, 200, lease(looks));
      else answer(response, 404, notFound(url));
    } else answer(response, 200, { metadata: { resourceVersion: '1' }, items: [] });
  });
  return { cluster, writes };
}

const leaseOf = (spec: object, annotations: object = {}): object => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'apisvc-rotation-api', namespace: 'wardle', annotations },
  spec,
});

const asked = { name: 'v1.example.com', directory: undefined, clusterFlags: [], holder: bob, signal: never, onProgress: () => {} };

describe('secure --undo', () => {
  test('is refused while a rotation is not complete', async () => {
    const { cluster, writes } = await clusterWith(() => leaseOf({ holderIdentity: '' }, { [journalAnnotation]: JSON.stringify(journal) }));
    expect(await rejection(undoSecure(cluster, asked))).toMatchObject({
      exitCode: 1,
      message:
        'a rotation of the certificate of Service wardle/api is not complete: it started at 2026-11-28T10:00:00Z, and was last run by alice@laptop\nnothing was changed',
      fix: 'Finish the rotation in the project directory where it was started: apisvc rotate -C DIR\nOr roll back first: apisvc rotate -C demo --abort',
    });
    expect(writes).toEqual([]);
  });

  test('is refused while a process rotates that has not recorded a step yet', async () => {
    const { cluster, writes } = await clusterWith((look) =>
      leaseOf({
        holderIdentity: identityOf(alice),
        acquireTime: '2026-11-28T10:00:00.000000Z',
        renewTime: `2026-11-28T10:00:0${look}.000000Z`,
        leaseDurationSeconds: 15,
      }),
    );
    expect(await rejection(undoSecure(cluster, asked))).toMatchObject({
      exitCode: 1,
      message: 'alice@laptop has been changing the certificate of Service wardle/api since 2026-11-28T10:00:00Z\nnothing was changed',
      fix: 'Wait until that command is complete. To see the certificate: apisvc status -C demo',
    });
    expect(writes).toEqual([]);
  });

  test('finds what to restore without a rotation', async () => {
    const { cluster } = await clusterWith();
    expect(await findSecured({ cluster, ...asked }, asked)).toMatchObject([{ action: 'restore' }, { action: 'restore' }]);
  });

  test('changes nothing while another APIService of the Service verifies the certificate', async () => {
    const other = withMetadata(apiService, { name: 'v2.example.com' });
    const { cluster, writes } = await clusterWith(undefined, [other]);
    const refused = {
      exitCode: 1,
      message:
        'apiservice/v2.example.com verifies the certificate of the same server, so the server must keep its certificate\nnothing was changed',
      fix: expect.stringMatching(/: kubectl patch apiservice v2\.example\.com --type=merge -p '\{.*"insecureSkipTLSVerify":true\}\}'$/),
    };
    expect(await rejection(findSecured({ cluster, ...asked }, asked))).toMatchObject(refused);
    expect(await rejection(undoSecure(cluster, asked))).toMatchObject(refused);
    expect(writes).toEqual([]);
  });

  test('names an APIService that does not exist, as unregister does', async () => {
    const { cluster } = await clusterWith();
    expect(await rejection(undoSecure(cluster, { ...asked, name: 'v1.exampel.com' }))).toMatchObject({
      exitCode: 1,
      message: 'APIService "v1.exampel.com" not found',
      fix: 'Did you mean v1.example.com?',
    });
  });
});
