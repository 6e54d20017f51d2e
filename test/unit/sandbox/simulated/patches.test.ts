import fc from 'fast-check';
import { createPatch } from 'rfc6902';
import { describe, expect, test } from 'vitest';
import { mergePatch } from '../../../../src/config/merge-patch.ts';
import { ApiFailure } from '../../../../src/sandbox/shared/failure.ts';
import { jsonPatch } from '../../../../src/sandbox/simulated/patching.ts';
import type { Obj } from '../../../../src/sandbox/simulated/types.ts';

// rfc6902 does not touch prototypes.
const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => !JSON.stringify(value).includes('__proto__')) as fc.Arbitrary<Obj>;
const object = fc.dictionary(fc.constantFrom('a', 'b', 'c'), json) as fc.Arbitrary<Obj>;

function refusal(patch: () => unknown): { code: number; message: string } | undefined {
  try {
    patch();
  } catch (failure) {
    if (failure instanceof ApiFailure) return { code: failure.code, message: failure.message };
    throw failure;
  }
  return undefined;
}

describe('a merge patch', () => {
  // The examples of RFC 7386, appendix A, that patch an object with an object.
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j', (before, patch, after) => expect(mergePatch(before, patch)).toEqual(after));

  test('is idempotent, and does not change its input', () =>
    fc.assert(
      fc.property(object, object, (before, patch) => {
        const copy = structuredClone(before);
        const once = mergePatch(before, patch);
        expect(mergePatch(once, patch)).toEqual(once);
        expect(before).toEqual(copy);
      }),
    ));
});

describe('a JSON patch', () => {
  test('produces the target, and does not change its input', () =>
    fc.assert(
      fc.property(object, object, (before, after) => {
        const copy = structuredClone(before);
        expect(jsonPatch(before, createPatch(before, after))).toEqual(after);
        expect(before).toEqual(copy);
      }),
    ));

  test.each([
    ['a test that fails', { op: 'test', path: '/a', value: 2 }],
    ['a path that is not there', { op: 'remove', path: '/b' }],
    ['a path that leads nowhere', { op: 'add', path: '/b/c', value: 1 }],
    ['a path that is no pointer', { op: 'add', path: 'a', value: 1 }],
    ['an operation that is none', { op: 'upsert', path: '/a', value: 1 }],
    ['null', null],
  ])('%s is refused without a reason', (_, operation) =>
    expect(refusal(() => jsonPatch({ a: 1 }, [operation]))).toEqual({
      code: 422,
      message: 'the server rejected our request due to an error in our request',
    }),
  );
});
