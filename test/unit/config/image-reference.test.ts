import { expect, test } from 'vitest';
import { imageReference } from '../../../src/config/image-reference.ts';

const digest = `sha256:${'0'.repeat(64)}`;

test.each([
  'x',
  'x:1',
  'Registry.example.com/a__b/c---d.e:V1_0',
  'localhost:5000/x',
  '[::1]:5000/x',
  `example.com:5000/a/b:1@${digest}`,
  `x@${digest}`,
  `x:${'t'.repeat(128)}`,
])('%j', (image) => {
  expect(image).toMatch(imageReference);
});

test.each([
  '',
  ' x',
  'a b',
  'x\n',
  'https://example.com/x',
  'x:1:2',
  'x:',
  'x@',
  'x@sha256:00',
  `x@${digest}:1`,
  'X',
  'example.com/Server',
  'a//b',
  '/x',
  'x/',
  'a_-b',
  'a___b',
  '-x',
  `x:${'t'.repeat(129)}`,
  '$IMAGE',
])('not %j', (image) => {
  expect(image).not.toMatch(imageReference);
});

test('a long text that is not a reference is refused at once', () => {
  expect(`${'a-'.repeat(5_000)}!`).not.toMatch(imageReference);
});
