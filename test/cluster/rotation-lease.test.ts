import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, connect } from '../../src/cluster/cluster.ts';
import { acquireRotationLease } from '../../src/cluster/lease.ts';
import { getObject } from '../../src/cluster/objects.ts';
import { type Holder, rotationLease, viewRotationLease } from '../../src/cluster/rotation-lease.ts';
import { kubectlOk } from './harness/projects.ts';
import { cluster as controlPlane } from './harness/provided.ts';

const service = { namespace: 'rotation-lease', name: 'api' };
const { signal } = new AbortController();
const alice: Holder = { user: 'alice', host: 'laptop', pid: 1, isRunning: () => true };
const bob: Holder = { user: 'bob', host: 'ci', pid: 1, isRunning: () => true };
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
  await expect(acquire(bob)).rejects.toThrow('alice@laptop (1) has been rotating the certificate of Service rotation-lease/api since ');
  const journal = {
    kind: 'leaf',
    direction: 'forward',
    step: 'secret',
    number: 2,
    steps: 5,
    title: 'Secret',
    started: '2026-11-28T10:00:00Z',
  } as const;
  await first.record(journal);
  expect(await found()).toMatchObject({ holder: 'alice@laptop (1)', journal });
  await first.stop();
  const second = await acquire(bob);
  expect([second.journal, second.holder]).toEqual([journal, 'alice@laptop (1)']);
  expect(await found()).toMatchObject({ holder: 'bob@ci (1)', transitions: 1, durationSeconds: 15 });
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
  await expect.poll(() => lock.lost.aborted).toBe(true);
  expect(lock.lost.reason.message).toBe('x took over Lease rotation-lease/apisvc-rotation-api; this rotation stops');
  await kubectlOk(['delete', 'lease', 'apisvc-rotation-api', '-n', service.namespace]);
});
