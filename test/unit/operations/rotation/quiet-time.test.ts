import { expect, test } from 'vitest';
import type { Look } from '../../../../src/operations/rotation/look.ts';
import { countQuiet, notQuiet, type QuietTime } from '../../../../src/operations/rotation/quiet-time.ts';

type Seen = Pick<Look, 'complete' | 'others'> | undefined;

const complete: Seen = { complete: true, others: [] };
const unseen: Seen = { complete: false, others: [] };
const other = { complete: false, others: [{}] } as unknown as Seen;
const failed: Seen = undefined;

/** The time that counts after looks every two seconds. */
const after = (...looks: readonly Seen[]): number =>
  looks.reduce<QuietTime>((before, seen, index) => countQuiet(before, seen, index * 2_000), notQuiet).ms;

test('time between complete looks counts', () => {
  expect(after(complete)).toBe(0);
  expect(after(complete, complete, complete)).toBe(4_000);
});

test.each([
  ['cannot be checked', unseen],
  ['was not looked at', failed],
])('time in which an endpoint %s does not count, and what was counted before stays', (_, gap) => {
  expect(after(gap, gap, complete)).toBe(0);
  expect(after(complete, complete, gap, gap, complete)).toBe(2_000);
  expect(after(complete, complete, gap, complete, complete)).toBe(4_000);
});

test('an endpoint that serves another certificate restarts the time', () => {
  expect(after(complete, complete, complete, other)).toBe(0);
  expect(after(complete, complete, complete, other, complete, complete)).toBe(2_000);
});

test('the time between two looks counts for at most 10 seconds, because the process may have been stopped', () => {
  expect(countQuiet({ ms: 5_000, seenMs: 0 }, complete, 600_000)).toEqual({ ms: 15_000, seenMs: 600_000 });
});
