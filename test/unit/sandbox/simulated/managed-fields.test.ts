import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  above,
  difference,
  displayPaths,
  type FieldSet,
  fieldsOf,
  fromFieldsV1,
  intersection,
  join,
  pathOf,
  toFieldsV1,
  union,
  without,
} from '../../../../src/sandbox/simulated/managed-fields.ts';

const element = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'example.com/d').map((name) => `f:${name}`),
  fc.constantFrom('x', 'y').map((name) => `k:${JSON.stringify({ name })}`),
  fc.nat(12000).map((port) => `k:${JSON.stringify({ port, protocol: 'TCP' })}`),
  fc.constantFrom('x', 'y').map((item) => `v:${JSON.stringify(item)}`),
);
const path = fc.array(element, { minLength: 1, maxLength: 4 }).map((elements) => elements.reduce(join, ''));
const fieldSet = fc.array(path, { maxLength: 12 }).map((paths): FieldSet => new Set(paths));

describe('sets of fields', () => {
  test('fieldsV1 encodes exactly the set', () =>
    fc.assert(
      fc.property(fieldSet, (set) => {
        expect(fromFieldsV1(toFieldsV1(set))).toEqual(set);
      }),
    ));

  test('the order of fieldsV1 does not depend on the order of insertion', () =>
    fc.assert(
      fc.property(fieldSet, (set) => {
        expect(JSON.stringify(toFieldsV1(new Set([...set].reverse())))).toBe(JSON.stringify(toFieldsV1(set)));
      }),
    ));

  test('intersection and differences make up the union', () =>
    fc.assert(
      fc.property(fieldSet, fieldSet, (a, b) => {
        expect(union(difference(a, b), intersection(a, b), difference(b, a))).toEqual(union(a, b));
        expect(union(a, a)).toEqual(a);
        expect(intersection(difference(a, b), b).size).toBe(0);
      }),
    ));

  test('a set without a path has nothing below it', () =>
    fc.assert(
      fc.property(fieldSet, path, (set, root) => {
        const left = without(set, [root]);
        expect(left.has(root) || above(left).has(root)).toBe(false);
        expect([...difference(set, left)].every((gone) => gone === root || above(new Set([gone])).has(root))).toBe(true);
      }),
    ));

  test('a merged object has the fields of both', () => {
    const ours = { metadata: { labels: { a: '1' } }, spec: { ports: [{ port: 443, name: 'https' }] } };
    const theirs = { metadata: { labels: { b: '1' } }, spec: { ports: [{ port: 10250 }], selector: { a: 'b' } } };
    const both = { metadata: { labels: { a: '1', b: '1' } }, spec: { ports: [...ours.spec.ports, { port: 10250 }], selector: { a: 'b' } } };
    expect(fieldsOf(both)).toEqual(union(fieldsOf(ours), fieldsOf(theirs)));
  });
});

describe('the fields of an object', () => {
  const encoded = (object: object) => JSON.stringify(toFieldsV1(fieldsOf(object)));

  test('elements of lists go by their keys, with defaults', () => {
    const ports = [{ port: 10250 }, { port: 443, protocol: 'UDP' }, { port: 443 }];
    expect(encoded({ spec: { ports } })).toBe(
      '{"f:spec":{"f:ports":{"k:{\\"port\\":10250,\\"protocol\\":\\"TCP\\"}":{".":{},"f:port":{}},' +
        '"k:{\\"port\\":443,\\"protocol\\":\\"TCP\\"}":{".":{},"f:port":{}},' +
        '"k:{\\"port\\":443,\\"protocol\\":\\"UDP\\"}":{".":{},"f:port":{},"f:protocol":{}}}}}',
    );
  });

  test('sets by value, maps by field, atomic values as a whole', () => {
    expect(
      encoded({ metadata: { finalizers: ['b', 'a'], labels: { l: '1' } }, rules: [{ verbs: ['get'] }], spec: { selector: { a: 'b' } } }),
    ).toBe('{"f:metadata":{"f:finalizers":{"v:\\"a\\"":{},"v:\\"b\\"":{}},"f:labels":{"f:l":{}}},"f:rules":{},"f:spec":{"f:selector":{}}}');
  });

  test('an empty map and null are owned, an empty keyed list is not', () => {
    const volumes = [{ name: 'tmp', emptyDir: {} }];
    expect(encoded({ spec: { volumes, containers: [], replicas: null } })).toBe(
      '{"f:spec":{"f:replicas":{},"f:volumes":{"k:{\\"name\\":\\"tmp\\"}":{".":{},"f:emptyDir":{},"f:name":{}}}}}',
    );
  });

  test('elements with equal keys are one', () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'A', value: '2' },
    ];
    const object = { spec: { containers: [{ name: 'app', env }] } };
    expect(displayPaths(fieldsOf(object))).toEqual([
      '.spec.containers[name="app"]',
      '.spec.containers[name="app"].env[name="A"]',
      '.spec.containers[name="app"].name',
    ]);
  });
});

test('paths are displayed as kube-apiserver does', () => {
  const set = new Set([pathOf('spec', 'a', 'b'), pathOf('spec', 'z'), join(pathOf('metadata', 'finalizers'), 'v:"x"'), pathOf('data')]);
  expect(displayPaths(set)).toEqual(['.data', '.metadata.finalizers[="x"]', '.spec.a.b', '.spec.z']);
});
