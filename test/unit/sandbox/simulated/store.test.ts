import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiFailure } from '../../../../src/sandbox/shared/failure.ts';
import { kindOf } from '../../../../src/sandbox/simulated/kinds.ts';
import { createStore } from '../../../../src/sandbox/simulated/store.ts';
import type { Kind, Obj, Store, StoreEvent } from '../../../../src/sandbox/simulated/types.ts';

const configMaps = kindOf('', 'ConfigMap') as Kind;
const deployments = kindOf('apps', 'Deployment') as Kind;
const now = () => new Date('2026-01-02T03:04:05.678Z');

/** A write to one of a few objects. */
const step = fc.record({
  what: fc.constantFrom('create', 'update', 'delete'),
  namespace: fc.constantFrom('a', 'a-b', 'b'),
  name: fc.constantFrom('x', 'y'),
  value: fc.constantFrom('1', '2'),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** @returns whether the write succeeded */
function take(store: Store, { what, namespace, name, value }: Step): boolean {
  const object = { metadata: { name, namespace }, data: { value } };
  try {
    if (what === 'create') store.create(configMaps, object);
    else if (what === 'update')
      store.update(configMaps, { ...object, metadata: { ...store.get(configMaps, namespace, name)?.metadata, ...object.metadata } });
    else store.delete(configMaps, namespace, name);
    return true;
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    return false;
  }
}

describe('for any sequence of writes', () => {
  test('the sequence of events reproduces the contents, in the order of versions', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const store = createStore(now);
        const told: StoreEvent[] = [];
        const copy = new Map<string, Obj>();
        store.subscribe((event) => {
          const { namespace, name } = event.object.metadata;
          told.push(event);
          if (event.type === 'DELETED') copy.delete(`${namespace}/${name}`);
          else copy.set(`${namespace}/${name}`, event.object);
        });
        for (const each of steps) take(store, each);
        const keys = [...copy.keys()].sort();
        expect(store.list(configMaps)).toEqual(keys.map((key) => copy.get(key)));
        expect(store.since(0)).toEqual(told);
        expect(told.map(({ resourceVersion }) => resourceVersion)).toEqual(told.map((_, index) => index + 1));
        expect(told.every(({ object, resourceVersion }) => object.metadata.resourceVersion === String(resourceVersion))).toBe(true);
      }),
    );
  });

  test('an object keeps its uid and the time of its creation until it is deleted', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const store = createStore(now);
        const uids = new Map<string, string>();
        store.subscribe(({ type, object: { metadata } }) => {
          const key = `${metadata.namespace}/${metadata.name}`;
          if (type === 'ADDED') expect([...uids.values()]).not.toContain(metadata.uid);
          else expect(metadata.uid).toBe(uids.get(key));
          expect(metadata.creationTimestamp).toBe('2026-01-02T03:04:05Z');
          uids.set(key, metadata.uid);
        });
        for (const each of steps) take(store, each);
      }),
    );
  });

  test('a dry run answers and refuses like a write, and changes nothing', () => {
    fc.assert(
      fc.property(fc.array(step), step, (steps, last) => {
        const store = createStore(now);
        for (const each of steps) take(store, each);
        const before = [store.list(configMaps), store.resourceVersion];
        const dry: Store = {
          ...store,
          create: (kind, object) => store.create(kind, object, { dryRun: true }),
          update: (kind, object) => store.update(kind, object, { dryRun: true }),
          delete: (kind, namespace, name) => store.delete(kind, namespace, name, { dryRun: true }),
        };
        const done = take(dry, last);
        expect([store.list(configMaps), store.resourceVersion]).toEqual(before);
        expect(take(store, last)).toBe(done);
      }),
    );
  });
});

test('writing an equal object is not a change', () => {
  const store = createStore(now);
  const entry = { manager: 'a', operation: 'Update', fieldsV1: {} };
  const object = store.create(configMaps, { metadata: { name: 'x', namespace: 'a', managedFields: [{ ...entry, time: 'then' }] } });
  expect(store.update(configMaps, { ...object, metadata: { ...object.metadata, managedFields: [{ ...entry, time: 'now' }] } })).toBe(
    object,
  );
  expect(store.resourceVersion).toBe(1);
});

test('an update of an older version is refused', () => {
  const store = createStore(now);
  const object = store.create(configMaps, { metadata: { name: 'x', namespace: 'a' } });
  store.update(configMaps, { ...object, data: { a: '1' } });
  const refused = () => store.update(configMaps, { ...object, data: { a: '2' } });
  expect(refused).toThrow(
    'Operation cannot be fulfilled on configmaps "x": the object has been modified; please apply your changes to the latest version and try again',
  );
});

test('the generation counts changes of the spec, for kinds that have one', () => {
  const store = createStore(now);
  const metadata = { name: 'x', namespace: 'a' };
  const generationAfter = (kind: Kind, change: Obj): number =>
    store.update(kind, { ...store.get(kind, 'a', 'x'), ...change }).metadata.generation;
  store.create(deployments, { metadata, spec: { replicas: 1 } });
  expect(generationAfter(deployments, { status: { replicas: 1 } })).toBe(1);
  expect(generationAfter(deployments, { metadata: { ...metadata, labels: { a: 'b' } } })).toBe(1);
  expect(generationAfter(deployments, { spec: { replicas: 2 } })).toBe(2);
  store.create(configMaps, { metadata });
  expect(generationAfter(configMaps, { data: { a: 'b' } })).toBeUndefined();
});

test('it remembers the last 2,000 changes', () => {
  const store = createStore(now);
  const object = store.create(configMaps, { metadata: { name: 'x', namespace: 'a' } });
  for (let count = 0; count < 2_005; count++) store.update(configMaps, { metadata: { name: 'x', namespace: 'a' }, data: { count } });
  expect(object.metadata.resourceVersion).toBe('1');
  expect(store.since(5)).toBeUndefined();
  expect(store.since(6)).toHaveLength(2_000);
  expect(store.since(store.resourceVersion)).toEqual([]);
});

test('all listeners get all changes in order, including those that a listener makes', () => {
  const store = createStore(now);
  const heard: string[] = [];
  store.subscribe(({ object: { metadata } }) => {
    if (metadata.name === 'x') store.create(configMaps, { metadata: { name: 'made', namespace: 'a' } });
  });
  const stop = store.subscribe(({ object }) => heard.push(object.metadata.name));
  store.create(configMaps, { metadata: { name: 'x', namespace: 'a' } });
  stop();
  store.create(configMaps, { metadata: { name: 'later', namespace: 'a' } });
  expect(heard).toEqual(['x', 'made']);
});
