import { expect, test } from 'vitest';
import { takeSnapshot } from '../../../../src/snapshot/collect/snapshot.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';

/** Takes a snapshot of a cluster whose clock is ahead of the one of this machine. */
async function aheadOf(aheadMs: number): Promise<number | undefined> {
  const cluster = await clusterOf(({ url }, response) => {
    response.setHeader('date', new Date(Date.now() + aheadMs).toUTCString());
    if (url === '/version') return answer(response, 200, { gitVersion: 'v1.37.2' });
    return answer(response, 404, notFound(url));
  });
  const { apis } = await takeSnapshot(cluster, { names: ['v1.example.com'] }, {}, never);
  return apis[0]?.apiServerAheadMs;
}

test.each([
  ['behind', -3_600_000],
  ['ahead', 600_000],
])('a clock of kube-apiserver that is %s', async (_, aheadMs) => {
  const measured = await aheadOf(aheadMs);
  // The Date header has whole seconds.
  expect(Math.abs((measured ?? 0) - aheadMs)).toBeLessThan(60_000);
});

test('a clock that is a minute ahead is good enough for certificates', async () => {
  expect(await aheadOf(60_000)).toBeUndefined();
});
