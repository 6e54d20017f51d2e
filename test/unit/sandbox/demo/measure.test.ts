import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dns1123Subdomain, nameFault } from '../../../../src/config/names.ts';
import { duration, memoryQuantity, objectName } from '../../../../src/sandbox/demo/measure.ts';

test.each([
  [0, '0'],
  [1023, '1023'],
  [1024, '1Ki'],
  [24_674_332 * 1024, '24674332Ki'],
  [16 * 1024 ** 3, '16Gi'],
])('%i bytes are %s', (bytes, quantity) => {
  expect(memoryQuantity(bytes)).toBe(quantity);
});

test.each([
  [0, '0s'],
  [59, '59s'],
  [60, '1m0s'],
  [3_600, '1h0m0s'],
  [187_989, '52h13m9s'],
])('%i seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test('any host name becomes a valid object name', () => {
  expect(objectName('Jane_s-Mac.local')).toBe('jane-s-mac.local');
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (host) => nameFault(objectName(host), dns1123Subdomain) === undefined));
});
