import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergePatch } from '../../../../src/config/merge-patch.ts';
import { ApiFailure } from '../../../../src/sandbox/shared/failure.ts';
import { applyObject, trackUpdate } from '../../../../src/sandbox/simulated/apply.ts';
import { kindOf } from '../../../../src/sandbox/simulated/kinds.ts';
import { difference, fieldsOf } from '../../../../src/sandbox/simulated/managed-fields.ts';
import { jsonPatch } from '../../../../src/sandbox/simulated/patching.ts';
import type { Kind, Obj } from '../../../../src/sandbox/simulated/types.ts';
import { recorded, type Step } from './recorded.ts';

/**
 * Without the metadata that kube-apiserver adds, and without zero values, which it leaves out.
 */
function stored({
  metadata: { uid: _u, resourceVersion: _r, creationTimestamp: _c, generation: _g, managedFields: _m, ...metadata },
  ...object
}: Obj): Obj {
  const { insecureSkipTLSVerify: skip, ...spec } = object.spec ?? {};
  return { ...object, metadata, ...(object.spec ? { spec: skip ? object.spec : spec } : {}) };
}

/** Fields that get a default in new elements of lists, or once nobody owns them. */
const defaulted = ['f:protocol', 'f:resources', 'f:targetPort'];

/**
 * The recorded object contains the outcome and, unless it is new, only these defaults besides.
 */
function expectSameObject(outcome: Obj, object: Obj, isNew: boolean): void {
  expect(object).toMatchObject(stored(outcome));
  const more = difference(fieldsOf(stored(object)), fieldsOf(stored(outcome)));
  if (!isNew) expect([...more].filter((path) => !defaulted.some((field) => path.endsWith(field)))).toEqual([]);
}

const ownersOf = ({ metadata }: Obj): string[] => (metadata.managedFields ?? []).map((entry: Obj) => JSON.stringify(sorted(entry)));

/** With sorted keys. */
function sorted(value: Obj): Obj {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, held]) => [key, sorted(held)] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}
const timeless = (owners: readonly string[]): string[] => owners.map((owner) => owner.replace(/,?"time":"[^"]*"/, ''));

/**
 * A new time alone is not a change
 * (k8s.io/apiserver/pkg/endpoints/handlers/fieldmanager/equality.go); the store takes care of it.
 */
function expectSameOwners(outcome: Obj, { live, object }: Step): void {
  const unchanged = live && object.metadata.resourceVersion === live.metadata.resourceVersion;
  const [found, expected] = [ownersOf(outcome), ownersOf(object)];
  if (unchanged) expect(timeless(found).sort()).toEqual(timeless(expected).sort());
  else expect(found).toEqual(expected);
}

// Go visits the managers in any order.
const inOrder = ({ details, message, ...failure }: Obj): Obj => {
  const causes = details?.causes?.map((cause: Obj) => JSON.stringify([cause.message, cause.field])).sort();
  return { ...failure, message: message.split('\n').sort(), details: details && { ...details, causes } };
};

function failureOf(write: () => unknown): Obj {
  try {
    write();
  } catch (failure) {
    if (failure instanceof ApiFailure) return failure.status();
    throw failure;
  }
  return undefined;
}

/** Fields that kube-apiserver sets after it has tracked the owners. */
const allocated = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'];

function created({ status: _, spec, ...object }: Obj): Obj {
  return { ...object, ...(spec ? { spec: Object.fromEntries(Object.entries(spec).filter(([name]) => !allocated.includes(name))) } : {}) };
}

/**
 * The object of a write other than an apply, as kube-apiserver completed it, without owners.
 */
function updatedBy({ do: what, body, live, object }: Step): Obj {
  const sent = what === 'json' ? jsonPatch(live, body) : what === 'merge' ? mergePatch(live, body) : body;
  if (what === 'json' || what === 'merge') expectSameObject(sent, object, false);
  const asked = { ...object, metadata: { ...object.metadata, managedFields: sent.metadata.managedFields } };
  return what === 'create' ? created(asked) : asked;
}

function replay(kind: Kind, step: Step): Obj {
  const { as: manager, at, body, live, subresource = '', force = false } = step;
  const write = { kind, live, manager, subresource, now: new Date(at) };
  return step.do === 'apply' ? applyObject({ ...write, applied: body, force }) : trackUpdate({ ...write, updated: updatedBy(step) });
}

function expectSame(kind: Kind, step: Step): void {
  if (step.failure) {
    expect(inOrder(failureOf(() => replay(kind, step)))).toEqual(inOrder(step.failure));
    return;
  }
  const outcome = replay(kind, step);
  expectSameOwners(outcome, step);
  // What a write to status says about more than status is left out by who stores it.
  if (!step.subresource) expectSameObject(outcome, step.object, !step.live);
}

describe.each(['registration', 'api-service', 'config-map', 'deployment', 'other-kinds'])('as kube-apiserver: %s', (file) => {
  const cases = recorded(file).flatMap(({ name, kind, steps }) =>
    steps.map((step, index) => ({ title: `${name}, ${index}: ${step.do} by ${step.as}`, kind, step })),
  );
  test.each(cases)('$title', ({ kind, step }) => expectSame(kind, step));
});

const deployments = kindOf('apps', 'Deployment') as Kind;
const now = new Date('2026-01-01T00:00:00Z');
const apply = (live: Obj, applied: Obj, manager: string, at = now): Obj =>
  applyObject({ kind: deployments, live, applied, manager, force: true, now: at });

test('an update can move fields to another manager', () => {
  const live = apply(undefined, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: { replicas: 1 } }, 'before');
  const [entry] = live.metadata.managedFields;
  const moved = { ...live, metadata: { ...live.metadata, managedFields: [{ ...entry, manager: 'after' }] } };
  const managersAfter = (subresource: string) =>
    trackUpdate({ updated: moved, kind: deployments, live, manager: 'kubectl', subresource, now }).metadata.managedFields;
  expect(managersAfter('')).toEqual([{ ...entry, manager: 'after' }]);
  expect(managersAfter('status')).toEqual([entry]);
});

const subsetOf = (...names: string[]) => fc.uniqueArray(fc.constantFrom(...names), { maxLength: names.length });
const value = fc.constantFrom('1', '2');
const valuesOf = (...names: string[]) => fc.dictionary(fc.constantFrom(...names), value, { maxKeys: names.length });

const container = (name: string) =>
  fc.record(
    {
      name: fc.constant(name),
      image: value,
      args: fc.array(value, { minLength: 1, maxLength: 2 }),
      env: fc.uniqueArray(fc.record({ name: fc.constantFrom('A', 'B', 'C'), value }), { selector: ({ name: key }) => key, minLength: 1 }),
    },
    { requiredKeys: ['name'] },
  );

/** Any manifest of one Deployment. */
const wanted = fc
  .record({
    labels: valuesOf('a', 'b', 'c'),
    finalizers: subsetOf('x/a', 'x/b', 'x/c'),
    containers: subsetOf('one', 'two', 'three').chain((names) => fc.tuple(...names.map(container))),
    replicas: fc.option(fc.nat(3), { nil: undefined }),
  })
  .map(({ labels, finalizers, containers, replicas }) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', ...(Object.keys(labels).length > 0 ? { labels } : {}), ...(finalizers.length > 0 ? { finalizers } : {}) },
    spec: {
      selector: { matchLabels: { app: 'd' } },
      ...(replicas === undefined ? {} : { replicas }),
      ...(containers.length > 0 ? { template: { spec: { containers } } } : {}),
    },
  }));

describe('for any applied object', () => {
  test('a repeated apply changes nothing, not even a time', () =>
    fc.assert(
      fc.property(wanted, wanted, (theirs, ours) => {
        const applied = apply(apply(undefined, theirs, 'other'), ours, 'apisvc');
        expect(apply(applied, ours, 'apisvc', new Date('2027-01-01T00:00:00Z'))).toEqual(applied);
      }),
    ));

  test('with one manager, the object is what it applied last', () =>
    fc.assert(
      fc.property(wanted, wanted, (first, second) => {
        expect(apply(apply(undefined, first, 'apisvc'), second, 'apisvc')).toEqual(apply(undefined, second, 'apisvc'));
      }),
    ));

  test('an applied field is set, and owned by its manager', () =>
    fc.assert(
      fc.property(wanted, wanted, (theirs, ours) => {
        const both = apply(apply(undefined, theirs, 'other'), ours, 'apisvc');
        expect(difference(fieldsOf(ours), fieldsOf(both)).size).toBe(0);
        const entry = both.metadata.managedFields.find(({ manager }: Obj) => manager === 'apisvc');
        expect(entry.fieldsV1).toEqual(apply(undefined, ours, 'apisvc').metadata.managedFields[0].fieldsV1);
      }),
    ));

  test('fields of other managers stay when a manager gives up its own', () =>
    fc.assert(
      fc.property(wanted, wanted, (theirs, ours) => {
        const nothing = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } };
        const left = apply(apply(apply(undefined, ours, 'apisvc'), theirs, 'other'), nothing, 'apisvc');
        const alone = apply(undefined, theirs, 'other');
        expect(stored(left)).toEqual(stored(alone));
        expect(timeless(ownersOf(left))).toEqual(timeless(ownersOf(alone)));
      }),
    ));

  test('without force, values of other managers are not changed', () =>
    fc.assert(
      fc.property(wanted, wanted, (theirs, ours) => {
        const live = apply(undefined, theirs, 'other');
        const write = () => applyObject({ kind: deployments, live, applied: ours, manager: 'apisvc', force: false, now });
        const owners = (object: Obj) => object.metadata.managedFields.find(({ manager }: Obj) => manager === 'other');
        const failure = failureOf(write);
        if (failure) expect(failure.code).toBe(409);
        else expect(owners(write())).toEqual(owners(live));
      }),
    ));
});
