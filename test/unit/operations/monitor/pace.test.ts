import { describe, expect, test } from 'vitest';
import { paceAfter, pauseBeforeWatch } from '../../../../src/operations/monitor/pace.ts';

const minute = 60_000;

describe('the pause after a look', () => {
  test('is the interval, spread by a tenth', () => {
    expect(paceAfter({ requests: 10, failures: 0 }, minute, 0).latestMs).toBe(54_000);
    expect(paceAfter({ requests: 10, failures: 0 }, minute, 1).latestMs).toBeCloseTo(66_000);
  });

  test('is at least 10 seconds after a change, or the interval if that is shorter', () => {
    expect(paceAfter({ requests: 10, failures: 0 }, minute, 0.5).earliestMs).toBe(10_000);
    expect(paceAfter({ requests: 10, failures: 0 }, 5_000, 0.5)).toMatchObject({ earliestMs: 5_000, latestMs: 5_000 });
  });

  test('grows with the number of requests, beyond the interval too', () => {
    expect(paceAfter({ requests: 600, failures: 0 }, minute, 0.5)).toMatchObject({ earliestMs: 30_000, latestMs: minute });
    expect(paceAfter({ requests: 6_000, failures: 0 }, minute, 0.5)).toMatchObject({ earliestMs: 300_000, latestMs: 300_000 });
  });

  test('is shorter than the interval after a failure, and grows up to it', () => {
    const after = (failures: number) => paceAfter({ requests: 1, failures }, 5 * minute, 0.5).latestMs / 1_000;
    expect([1, 2, 3, 4, 5, 6, 99].map(after)).toEqual([10, 20, 40, 80, 160, 300, 300]);
  });
});

test('a watch that fails again and again is tried less often, up to once a minute', () => {
  expect([0, 1, 2, 3, 4, 2_000].map((failures) => pauseBeforeWatch(failures, 1) / 1_000)).toEqual([10, 10, 20, 40, 60, 60]);
  expect(pauseBeforeWatch(1, 0)).toBe(5_000);
});
