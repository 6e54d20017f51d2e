import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, connect } from '../../src/cluster/cluster.ts';
import { acquireRotationLease } from '../../src/cluster/lease.ts';
import { getObject } from '../../src/cluster/objects.ts';
import { type Holder, rotationLease, viewRotationLease } from '../../src/cluster/rotation-lease.ts';
import { kubectlOk } from './harness/projects.ts';
import { cluster as controlPlane } from './harness/provided.ts';

const service = { namespace: 'rotation-lease', name: 'api' };
const { signal } = new AbortController();
const alice: Holder = { user: 'alice', host: 'laptop', id: '7b0f5a52-93a5-4f0e-8a11-0c6a3f1f0a01' };
const bob: Holder = { user: 'bob', host: 'ci', id: '1c9d6be4-5b58-4c0e-9d5e-6f2f6f0b0b02' };
let cluster: Cluster;

const acquire = (holder: Holder, renewMs = 5_000) =>
  acquireRotationLease(cluster, { service, project: 'wardle/api', holder, signal, renewMs });
const found = async () => {
  const lease = await getObject(cluster, rotationLease(service), signal);
  return lease && viewRotationLease(lease);
};

beforeAll(async () => {
  cluster = await connect({ kubeconfig: controlPlane.kubeconfig }, {}, signal);
  await kubectlOk(['create', 'namespace', service.namespace]);
});
afterAll(async () => {
  cluster.close();
  await kubectlOk(['delete', 'namespace', service.namespace, '--wait=false']);
});

test('one rotation holds the Lease, another takes it over after it stopped, and the end deletes it', async () => {
  const first = await acquire(alice, 100);
  await expect(acquire(bob)).rejects.toThrow('alice@laptop has been changing the certificate of Service rotation-lease/api since ');
  const journal = {
    kind: 'leaf',
    direction: 'forward',
    step: 'secret',
    number: 2,
    steps: 5,
    title: 'Secret',
    started: '2026-11-28T10:00:00Z',
    holder: 'alice@laptop',
  } as const;
  await first.record(journal);
  expect(await found()).toMatchObject({ holder: 'alice@laptop', journal });
  await first.stop();
  expect(await found()).toMatchObject({ identity: '', journal });
  const second = await acquire(bob);
  expect(second.journal).toEqual(journal);
  expect(await found()).toMatchObject({ holder: 'bob@ci', transitions: 1, durationSeconds: 15 });
  await second.release();
  expect(await found()).toBeUndefined();
});

test('a holder whose Lease was taken away stops', async () => {
  const lock = await acquire(alice, 50);
  await kubectlOk([
    'patch',
    'lease',
    'apisvc-rotation-api',
    '-n',
    service.namespace,
    '--type=merge',
    '-p',
    '{"spec":{"holderIdentity":"x"}}',
  ]);
  await expect.poll(() => lock.lost.aborted, { timeout: 30_000 }).toBe(true);
  expect(lock.lost.reason.message).toBe('x took over Lease rotation-lease/apisvc-rotation-api; this command stops');
  await kubectlOk(['delete', 'lease', 'apisvc-rotation-api', '-n', service.namespace]);
});

test('a Lease whose holder was killed is taken over after its duration, and not before', async () => {
  const spec = {
    holderIdentity: `alice@laptop_${alice.id}`,
    acquireTime: '2026-11-28T10:00:00.000000Z',
    renewTime: '2026-11-28T10:00:05.000000Z',
  };
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'apisvc-rotation-api' },
    spec: { ...spec, leaseDurationSeconds: 3 },
  };
  await kubectlOk(['create', '-n', service.namespace, '-f', '-'], lease);
  const start = performance.now();
  const waits: string[] = [];
  const lock = await acquireRotationLease(cluster, {
    service,
    project: 'rotation-lease/api',
    holder: bob,
    signal,
    onWait: ({ holder }) => waits.push(holder),
  });
  expect(performance.now() - start).toBeGreaterThanOrEqual(3_000);
  expect(waits).toEqual(['alice@laptop']);
  await lock.stop();
  expect(await found()).toBeUndefined();
});
