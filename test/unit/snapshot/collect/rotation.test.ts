import { describe, expect, test } from 'vitest';
import { journalAnnotation } from '../../../../src/cluster/rotation-lease.ts';
import { collectContext } from '../../../../src/snapshot/collect/context.ts';
import { inventoryOf } from '../../../../src/snapshot/collect/inventory.ts';
import { collectRotation } from '../../../../src/snapshot/collect/rotation.ts';
import { answer, clusterOf, never, notFound, status } from '../../cluster/kube-api.ts';

const journal = {
  kind: 'leaf',
  direction: 'forward',
  step: 'secret',
  number: 2,
  steps: 5,
  title: 'Secret',
  started: '2026-11-28T10:00:00Z',
  holder: 'alice@laptop',
};
const leaseOf = (
  renewTime: string,
  text = JSON.stringify(journal),
  holderIdentity = `bob@ci_7b0f5a52-93a5-4f0e-8a11-0c6a3f1f0a01`,
): object => ({
  metadata: { name: 'apisvc-rotation-api', namespace: 'wardle', annotations: { [journalAnnotation]: text } },
  spec: { holderIdentity, renewTime, leaseDurationSeconds: 15 },
});

/** @param leases the answers, one after the other; undefined for none */
async function collect(...leases: readonly (object | undefined)[]) {
  let count = 0;
  const cluster = await clusterOf(({ url }, response) => {
    const lease = leases[Math.min(count, leases.length - 1)];
    count += 1;
    if (!lease) answer(response, 404, notFound(url));
    else if ('code' in lease) answer(response, 403, lease);
    else answer(response, 200, lease);
  });
  const context = collectContext(cluster, never);
  const service = { namespace: 'wardle', name: 'api', port: 443 };
  const observed = await collectRotation(context, inventoryOf(context, 1), service, { look: 5, longest: 30 });
  return { observed, count };
}

describe('a rotation', () => {
  const [first, later] = [leaseOf('2026-11-28T10:00:05.000000Z'), leaseOf('2026-11-28T10:00:10.000000Z')];

  test('runs as soon as its Lease is renewed', async () => {
    const { observed, count } = await collect(first, first, later);
    expect(observed).toEqual({ state: 'seen', value: { ...journal, holder: 'bob@ci', running: true } });
    expect(count).toBe(3);
  });

  test('was interrupted when its Lease is not renewed for longer than a renewal takes', async () => {
    const { observed } = await collect(first);
    expect(observed).toMatchObject({ state: 'seen', value: { holder: 'alice@laptop', running: false } });
  });

  test('that stopped by itself is interrupted, without waiting', async () => {
    const { observed, count } = await collect(leaseOf('2026-11-28T10:00:05.000000Z', undefined, ''));
    expect(observed).toMatchObject({ state: 'seen', value: { holder: 'alice@laptop', running: false } });
    expect(count).toBe(1);
  });

  test('that ends meanwhile is none', async () => {
    expect((await collect(first, undefined)).observed).toEqual({ state: 'absent' });
  });
});

test.each([
  ['without a Lease', undefined],
  ['before its first step', leaseOf('2026-11-28T10:00:05.000000Z', '')],
])('there is no rotation %s', async (_, lease) => {
  expect(await collect(lease)).toEqual({ observed: { state: 'absent' }, count: 1 });
});

test('a Lease that may not be read is not checked', async () => {
  const { observed } = await collect(status(403, 'Forbidden', 'leases is forbidden'));
  expect(observed).toMatchObject({ state: 'unseen', reason: 'forbidden' });
});
