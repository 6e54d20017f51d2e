import { expect, test } from 'vitest';
import { counted } from '../../../src/config/counted.ts';

test.each([
  [0, '0 days'],
  [1, '1 day'],
  [999, '999 days'],
  [2_839, '2,839 days'],
  [100_000, '100,000 days'],
  [1_234_567, '1,234,567 days'],
  [-1_234, '-1,234 days'],
])('%d', (count, text) => {
  expect(counted(count, 'day')).toBe(text);
});
