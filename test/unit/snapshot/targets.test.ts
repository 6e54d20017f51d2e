import { expect, test } from 'vitest';
import { describeTarget } from '../../../src/snapshot/targets.ts';

test.each([
  ['10.0.0.1:443', '10.0.0.1'],
  ['[fd00::1]:443', 'fd00::1'],
  ['api.example.com:443', 'api.example.com'],
])('%s', (text, address) => {
  expect(describeTarget({ address, port: 443, pod: undefined })).toBe(text);
  expect(describeTarget({ address, port: 443, pod: 'api-0' })).toBe(`${text} (pod api-0)`);
});
