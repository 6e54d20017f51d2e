import fc from 'fast-check';
import { expect, test } from 'vitest';
import { durationFault, durationMessage, durationText, parseDuration, unitMissing } from '../../../src/config/duration.ts';

test.each<[string, number]>([
  ['500ms', 500],
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['1m500ms', 60_500],
  ['90d', 7_776_000_000],
  ['100y', 3_153_600_000_000],
])('%s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '0s', '5', 's', '-5s', '1.5h', '1h 30m', '1H', '101y', '99y367d', `${'9'.repeat(400)}s`])('not %j', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test.each([
  ['0', 'must be longer than 0'],
  ['00s0m', 'must be longer than 0'],
  ['5', unitMissing('5')],
  ['', durationMessage],
  // A pattern with two ways to divide the zeros never ends here.
  [`${'0'.repeat(60)}x`, durationMessage],
])('%j: %s', (text, fault) => {
  expect(durationFault(text)).toBe(fault);
});

test.each([
  ['5', 'has no unit; write 5s, 5m or 5h'],
  ['24', 'has no unit; write 24s, 24m or 24h'],
  ['86400', 'has no unit; write 86400s'],
  ['86401', 'must be at most 24h'],
  ['86400s', undefined],
  ['25h', 'must be at most 24h'],
])('%j, of at most a day: %s', (text, fault) => {
  expect(durationFault(text, { isAllowed: (ms) => ms <= 86_400_000, rule: 'must be at most 24h' })).toBe(fault);
});

test.each([
  [5_000, '5s'],
  [60_000, '1m'],
  [5_400_000, '1h30m'],
  [86_400_000, '24h'],
  [3_723_400, '1h2m3.4s'],
  [300, '0.3s'],
])('%i ms: %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test('the parts add up', () => {
  const part = fc
    .tuple(fc.integer({ min: 1, max: 10_000 }), fc.constantFrom('ms', 's', 'm', 'h'))
    .map(([count, unit]) => `${count}${unit}`);
  fc.assert(
    fc.property(part, part, (one, other) => {
      expect(parseDuration(one + other)).toBe((parseDuration(one) ?? 0) + (parseDuration(other) ?? 0));
    }),
  );
});
