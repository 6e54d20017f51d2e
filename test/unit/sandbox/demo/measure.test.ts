import { totalmem } from 'node:os';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dns1123Subdomain, nameFault } from '../../../../src/config/names.ts';
import { measure, objectName } from '../../../../src/sandbox/demo/measure.ts';

test('amounts of memory are quantities, and the uptime is a duration', () => {
  const { capacity, usage, free, uptime } = measure({ group: 'example.com', version: 'v1' }, new Date());
  for (const { memory } of [capacity, usage, free]) expect(memory).toMatch(/^\d+Ki$/);
  expect(capacity.memory).toBe(`${Math.floor(totalmem() / 1024)}Ki`);
  expect(uptime).toMatch(/^\d+s$/);
});

test('any host name becomes a valid object name', () => {
  expect(objectName('Jane_s-Mac.local')).toBe('jane-s-mac.local');
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (host) => nameFault(objectName(host), dns1123Subdomain) === undefined));
});
