import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extractOwned, type FieldsV1 } from '../../../src/cluster/owned-fields.ts';

describe('the fields that a manager owns', () => {
  test.each<[string, unknown, FieldsV1, unknown]>([
    ['a value', { spec: { a: 1, b: 2 } }, { 'f:spec': { 'f:a': {} } }, { spec: { a: 1 } }],
    ['null', { spec: { a: null } }, { 'f:spec': { 'f:a': {} } }, { spec: { a: null } }],
    ['an atomic map', { selector: { app: 'x', b: 'y' } }, { 'f:selector': {} }, { selector: { app: 'x', b: 'y' } }],
    ['an atomic list', { args: ['b', 'a'] }, { 'f:args': {} }, { args: ['b', 'a'] }],
    ['a map itself beside one of its fields', { m: { a: 1, b: 2 } }, { 'f:m': { '.': {}, 'f:a': {} } }, { m: { a: 1 } }],
    ['a map itself, without fields', { m: { b: 2 } }, { 'f:m': { '.': {} } }, { m: {} }],
    ['nothing that the object lost', { m: {} }, { 'f:m': { 'f:a': {} }, 'f:n': {} }, { m: {} }],
    ['a field with a dot and a colon in its name', { a: { 'x.y/z:1': '' } }, { 'f:a': { 'f:x.y/z:1': {} } }, { a: { 'x.y/z:1': '' } }],
    [
      'an item by its keys, in the order of the object',
      {
        ports: [
          { port: 1, protocol: 'UDP' },
          { port: 443, protocol: 'TCP', name: 'x' },
          { port: 443, protocol: 'UDP' },
        ],
      },
      { 'f:ports': { 'k:{"port":443,"protocol":"UDP"}': { '.': {}, 'f:port': {} }, 'k:{"port":443,"protocol":"TCP"}': { 'f:name': {} } } },
      { ports: [{ name: 'x' }, { port: 443 }] },
    ],
    ['items of a set', { f: ['a', 'b', 'c'] }, { 'f:f': { 'v:"c"': {}, 'v:"a"': {} } }, { f: ['a', 'c'] }],
    ['an item by its index', { l: [{ a: 1, b: 2 }, { a: 3 }] }, { 'f:l': { 'i:0': { 'f:b': {} } } }, { l: [{ b: 2 }] }],
  ])('include %s', (_, object, fields, wanted) => {
    expect(extractOwned(object, fields)).toEqual(wanted);
  });

  /** What one manager applies: maps, items with a name, items of a set, atomic lists, values. */
  type Applied = { readonly [name: string]: unknown };
  const word = fc.stringMatching(/^[a-z][a-z.]{0,3}$/);
  const value = fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.integer()));
  const { map } = fc.letrec<{ map: Applied; child: unknown }>((tie) => ({
    map: fc.dictionary(word, tie('child'), { minKeys: 1, maxKeys: 4 }) as fc.Arbitrary<Applied>,
    child: fc.oneof(
      { maxDepth: 4 },
      value,
      fc.uniqueArray(
        word.map((each) => `set ${each}`),
        { minLength: 1, maxLength: 3 },
      ),
      tie('map'),
      fc.uniqueArray(
        fc.tuple(word, tie('map')).map(([name, rest]) => ({ ...(rest as Applied), name })),
        {
          minLength: 1,
          maxLength: 3,
          selector: ({ name }) => name,
        },
      ),
    ),
  }));

  const isMap = (of: unknown): of is Applied => typeof of === 'object' && of !== null && !Array.isArray(of);
  const keyOf = (item: unknown): string => (isMap(item) ? `k:${JSON.stringify({ name: item.name })}` : `v:${JSON.stringify(item)}`);
  const isAtomic = (of: unknown): boolean =>
    !isMap(of) && !(Array.isArray(of) && of.every((item) => isMap(item) || typeof item === 'string') && of.length > 0);

  function fieldsOf(applied: unknown): FieldsV1 {
    if (isAtomic(applied)) return {};
    const entries = Array.isArray(applied)
      ? applied.map((item) => [keyOf(item), isMap(item) ? { '.': {}, ...fieldsOf(item) } : {}])
      : Object.entries(applied as Applied).map(([name, child]) => [`f:${name}`, fieldsOf(child)]);
    return Object.fromEntries(entries);
  }

  /** Both managers' objects in one, as server-side apply merges them; `ours` wins. */
  function merged(theirs: unknown, ours: unknown): unknown {
    if (isMap(theirs) && isMap(ours)) {
      const names = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])];
      return Object.fromEntries(names.map((name) => [name, Object.hasOwn(ours, name) ? merged(theirs[name], ours[name]) : theirs[name]]));
    }
    if (!Array.isArray(theirs) || !Array.isArray(ours) || isAtomic(ours) || isAtomic(theirs)) return ours;
    const taken = new Set(ours.map(keyOf));
    const items = ours.map((item) =>
      merged(
        theirs.find((each) => keyOf(each) === keyOf(item)),
        item,
      ),
    );
    return [...theirs.filter((item) => !taken.has(keyOf(item))), ...items];
  }

  test('are exactly what it applied, whatever others added', () => {
    fc.assert(
      fc.property(map, map, (ours, theirs) => {
        expect(extractOwned(merged(theirs, ours), fieldsOf(ours))).toEqual(ours);
      }),
      { numRuns: 200 },
    );
  });
});
