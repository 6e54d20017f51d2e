import fc from 'fast-check';
import { expect, test } from 'vitest';
import { base64Fault } from '../../../../src/sandbox/simulated/base64.ts';

test('base64 is sound, wherever its lines end', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 80 }), (bytes, width) => {
      const text = Buffer.from(bytes).toString('base64');
      expect(base64Fault(text)).toBeUndefined();
      expect(base64Fault(text.replace(new RegExp(`.{${width}}`, 'g'), '$&\r\n'))).toBeUndefined();
    }),
  );
});

test('the first sign that is none of it is found', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 3 }), fc.nat(), fc.constantFrom(' ', '-', '_', '%', 'é', '\t'), (bytes, at, sign) => {
      const text = Buffer.from(bytes).toString('base64').replaceAll('=', '');
      const place = at % text.length;
      expect(base64Fault(text.slice(0, place) + sign + text.slice(place))).toBe(place);
    }),
  );
});

// What Go 1.26's encoding/base64.StdEncoding says of them.
test.each([
  ['YWJ', 0],
  ['YWJjZ', 4],
  ['YWJjZGU', 4],
  ['!!!', 0],
  ['YW Jj', 2],
  ['=', 0],
  ['Y===', 1],
  ['Yw=', 3],
  ['Yw=x', 2],
  ['Yw==x', 4],
  ['Yw==\nYQ==', 5],
  ['YWI=\n', undefined],
  ['YWI=YQ==', 4],
  ['Yw=\n=\r\n', undefined],
])('%j', (text, offset) => {
  expect(base64Fault(text)).toBe(offset);
});
