import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { selectorOf } from '../../../../src/sandbox/simulated/selectors.ts';
import type { Obj } from '../../../../src/sandbox/simulated/types.ts';

const select = (query: Record<string, string>) => selectorOf(new URL(`https://x/?${new URLSearchParams(query)}`));
const labelled = (labelSelector: string, labels: Obj): boolean => select({ labelSelector })({ metadata: { labels } });

describe('labels', () => {
  test.each([
    ['', {}, true],
    ['a', { a: '' }, true],
    ['a', {}, false],
    ['!a', {}, true],
    ['!a', { a: '' }, false],
    ['a=b', { a: 'b' }, true],
    ['a==b', { a: 'c' }, false],
    ['a=', { a: '' }, true],
    ['a!=b', {}, true],
    ['a!=b', { a: 'b' }, false],
    ['a in (b, c)', { a: 'c' }, true],
    ['a in (b,c)', {}, false],
    ['a notin (b,c)', {}, true],
    ['a notin (b,c)', { a: 'b' }, false],
    ['example.com/a=b,c', { 'example.com/a': 'b', c: '' }, true],
    ['example.com/a=b,c', { 'example.com/a': 'b' }, false],
  ])('%s of %j: %s', (selector, labels, expected) => {
    expect(labelled(selector, labels)).toBe(expected);
  });

  const word = fc.stringMatching(/^[a-z][a-z0-9.-]{0,3}$/).filter((text) => !['in', 'notin'].includes(text));
  const labels = fc.dictionary(word, word, { noNullPrototype: true });

  test('two requirements hold when each of them does', () => {
    const requirement = fc.oneof(
      word,
      fc.tuple(word, fc.constantFrom('=', '!='), word).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(requirement, requirement, labels, (one, other, of) => {
        expect(labelled(`${one},${other}`, of)).toBe(labelled(one, of) && labelled(other, of));
      }),
    );
  });

  test('!=, notin and ! are the opposites of =, in and a key alone', () => {
    fc.assert(
      fc.property(word, word, labels, (key, value, of) => {
        expect(labelled(`${key}!=${value}`, of)).toBe(!labelled(`${key}=${value}`, of));
        expect(labelled(`${key} notin (${value})`, of)).toBe(!labelled(`${key} in (${value})`, of));
        expect(labelled(`!${key}`, of)).toBe(!labelled(key, of));
      }),
    );
  });

  test.each(['x===', 'a b', 'a in b', '!a=b'])('%s is refused', (selector) => {
    expect(() => labelled(selector, {})).toThrow('unable to parse requirement');
  });
});

describe('fields', () => {
  const pod = { metadata: { name: 'p', namespace: 'n' }, spec: { nodeName: 'node' }, status: {} };
  test.each([
    ['metadata.name=p', true],
    ['metadata.name==p,metadata.namespace!=n', false],
    ['spec.nodeName=node', true],
    ['status.phase=', true],
    ['status.phase!=Running', true],
  ])('%s: %s', (fieldSelector, expected) => {
    expect(select({ fieldSelector })(pod)).toBe(expected);
  });

  test('foo is refused', () => {
    expect(() => select({ fieldSelector: 'foo' })).toThrow("invalid selector: 'foo'; can't understand 'foo'");
  });
});
