import { expect, test, vi } from 'vitest';
import { readClock } from '../../../src/cluster/clock.ts';
import { answer, clusterOf, never } from './kube-api.ts';

test('the clock counts on while the machine is suspended, when performance.now() stands still', async () => {
  const { now } = await readClock(await clusterOf((_, response) => answer(response, 200, {})), never);
  vi.spyOn(performance, 'now').mockReturnValue(performance.now());
  const before = now().getTime();
  await expect.poll(() => now().getTime()).toBeGreaterThan(before);
});
