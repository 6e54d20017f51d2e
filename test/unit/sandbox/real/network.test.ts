import { expect, test } from 'vitest';
import { hasCapabilities } from '../../../../src/sandbox/real/network.ts';

const status = (effective: string): string => `Name:\tnode\nUid:\t0\t0\t0\t0\nCapPrm:\t000001ffffffffff\nCapEff:\t${effective}\n`;

test.each([
  ['root with all capabilities', '000001ffffffffff', true],
  ['root in a default container, without CAP_SYS_ADMIN', '00000000a80425fb', false],
  ['CAP_SYS_ADMIN without CAP_NET_ADMIN', '0000000000200000', false],
  ['exactly both', '0000000000201000', true],
  ['an ordinary user', '0000000000000000', false],
])('%s', (_, effective, expected) => {
  expect(hasCapabilities(status(effective))).toBe(expected);
});

test('a status without capabilities grants none', () => {
  expect(hasCapabilities('Name:\tnode\n')).toBe(false);
});
