import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { pause } from '../../../../src/cluster/backoff.ts';
import { paceAfter, pauseBeforeFirst, pauseBeforeWatch } from '../../../../src/operations/monitor/pace.ts';

const minute = 60_000;

describe('the pause after a run', () => {
  test('is the interval, spread by a tenth', () => {
    expect(paceAfter({ requests: 10, retries: 0 }, minute, 0).latestMs).toBe(54_000);
    expect(paceAfter({ requests: 10, retries: 0 }, minute, 1).latestMs).toBeCloseTo(66_000);
  });

  test('is at least 10 seconds after a change, or the interval if that is shorter', () => {
    expect(paceAfter({ requests: 10, retries: 0 }, minute, 0.5).earliestMs).toBe(10_000);
    expect(paceAfter({ requests: 10, retries: 0 }, 5_000, 0.5)).toMatchObject({ earliestMs: 5_000, latestMs: 5_000 });
  });

  test('grows with the number of requests, beyond the interval too', () => {
    expect(paceAfter({ requests: 600, retries: 0 }, minute, 0.5)).toMatchObject({ earliestMs: 30_000, latestMs: minute });
    expect(paceAfter({ requests: 6_000, retries: 0 }, minute, 0.5)).toMatchObject({ earliestMs: 300_000, latestMs: 300_000 });
  });

  test('is shorter than the interval before a retry, and grows up to it', () => {
    const after = (retries: number) => paceAfter({ requests: 1, retries }, 5 * minute, 0.5).latestMs / 1_000;
    expect([1, 2, 3, 4, 5, 6, 99].map(after)).toEqual([10, 20, 40, 80, 160, 300, 300]);
  });
});

// setTimeout waits 1 ms for a time above 2^31-1 ms.
test('the longest interval is one that a timer can wait', async () => {
  const { latestMs } = paceAfter({ requests: 10, retries: 0 }, 24 * 60 * minute, 1);
  const over = new AbortController();
  const waited = pause(latestMs, over.signal).then(
    () => 'passed',
    () => 'interrupted',
  );
  expect(await Promise.race([waited, sleep(20, 'waiting')])).toBe('waiting');
  over.abort();
  expect(await waited).toBe('interrupted');
});

describe('the first runs', () => {
  const pausesOf = (count: number, random: number) =>
    Array.from({ length: count }, (_, index) => pauseBeforeFirst({ index, count }, random));

  test('begin at once for one cluster, and half a second apart for a few', () => {
    expect(pausesOf(1, 1)).toEqual([0]);
    expect(pausesOf(4, 0)).toEqual([0, 0, 500, 1_000]);
    expect(pausesOf(4, 1)).toEqual([0, 500, 1_000, 1_500]);
  });

  test('begin within 5 seconds for many', () => {
    const pauses = pausesOf(101, 1);
    expect(pauses.slice(0, 3)).toEqual([0, 50, 100]);
    expect(pauses.at(-1)).toBe(5_000);
  });
});

test('a watch that fails again and again is tried less often, up to once a minute', () => {
  expect([0, 1, 2, 3, 4, 2_000].map((failures) => pauseBeforeWatch(failures, 1) / 1_000)).toEqual([10, 10, 20, 40, 60, 60]);
  expect(pauseBeforeWatch(1, 0)).toBe(5_000);
});
