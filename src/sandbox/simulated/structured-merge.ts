import { isDeepStrictEqual } from 'node:util';
import { above, byElement, difference, type FieldSet, fieldsOf, intersection, join, union, withFieldsAbove } from './managed-fields.ts';
import { isLeaf, objectShape, type Place, placesIn, type Shape } from './merge-keys.ts';
import type { Obj } from './types.ts';

// sigs.k8s.io/structured-merge-diff: typed/{compare,merge,remove}.go and merge/update.go.

export interface Changes {
  /** Added, or with another value. */
  readonly set: FieldSet;
  readonly removed: FieldSet;
}

const missing = (value: Obj): boolean => value === undefined || value === null;
const isEmpty = (value: Obj): boolean => missing(value) || Object.keys(value).length === 0;

/** The parts of a value, with embedded fields that are missing as empty ones. */
function partsOf(shape: Shape, value: Obj): Map<string, Place> {
  if (missing(value)) return new Map();
  const found = byElement(placesIn(shape, value));
  for (const [name, field] of Object.entries(shape.fields ?? {}))
    if (field.embedded && missing(value[name])) found.set(`f:${name}`, { element: `f:${name}`, shape: field, value: field.keys ? [] : {} });
  return found;
}

/** @returns whether two values are compared and merged as a whole */
function isWhole(shape: Shape, a: Obj, b: Obj): boolean {
  const present = [a, b].filter((value) => !missing(value));
  return (
    present.some((value) => isLeaf(shape, value)) ||
    (isEmpty(a) && isEmpty(b)) ||
    (present.length === 2 && Array.isArray(a) !== Array.isArray(b))
  );
}

/** @returns how `after` differs from `before` */
export function changesBetween(before: Obj, after: Obj): Changes {
  const set = new Set<string>();
  const removed = new Set<string>();
  const visit = (shape: Shape, old: Obj, current: Obj, path: string): void => {
    const whole = isWhole(shape, old, current);
    if (!whole) {
      const [olds, currents] = [partsOf(shape, old), partsOf(shape, current)];
      for (const [element, place] of new Map([...olds, ...currents]))
        visit(place.shape, olds.get(element)?.value, currents.get(element)?.value, join(path, element));
    }
    if (current === undefined) removed.add(path);
    else if (old === undefined || (whole && !isDeepStrictEqual(old, current))) set.add(path);
  };
  visit(objectShape, before, after, '');
  return { set, removed };
}

/** Elements of `live` alone keep their place; the others come in the order of `applied`. */
function mergeLists(shape: Shape, live: readonly Obj[], applied: readonly Obj[]): Obj[] {
  const ours = placesIn(shape, live);
  const theirs = placesIn(shape, applied);
  const wanted = new Set(theirs.map(({ element }) => element));
  const known = byElement(ours);
  const shared = theirs.filter(({ element }) => known.has(element));
  const merged: Obj[] = [];
  const takeUntil = (element?: string): void => {
    for (let place = theirs.shift(); place; place = theirs.shift()) {
      merged.push(mergeValues(place.shape, known.get(place.element)?.value, place.value));
      if (place.element === element) return;
    }
  };
  for (const { element, value } of ours) {
    if (!wanted.has(element)) merged.push(value);
    else if (shared[0]?.element === element) {
      shared.shift();
      takeUntil(element);
    }
  }
  takeUntil();
  return merged;
}

function mergeValues(shape: Shape, live: Obj, applied: Obj): Obj {
  if (applied === undefined) return live;
  if (isWhole(shape, live, applied)) return applied;
  if (applied === null) return live;
  if (Array.isArray(applied)) return mergeLists(shape, live ?? [], applied);
  const keys = Object.keys({ ...live, ...applied });
  return Object.fromEntries(keys.map((key) => [key, mergeValues(shape.fields?.[key] ?? {}, live?.[key], applied[key])]));
}

/** @returns `live` with all fields of `applied`, including null */
export const merge = (live: Obj, applied: Obj): Obj => mergeValues(objectShape, live, applied);

/** @returns the object without the fields of the set; a map or list that becomes empty is null */
function remove(object: Obj, gone: FieldSet): Obj {
  const touched = above(gone);
  const visit = (shape: Shape, value: Obj, path: string): Obj => {
    if (path !== '' && !touched.has(path)) return value;
    if (isLeaf(shape, value)) return null;
    const kept = placesIn(shape, value)
      .map((place) => ({ ...place, path: join(path, place.element) }))
      .filter((place) => !gone.has(place.path))
      .map((place) => [place.element.slice(2), visit(place.shape, place.value, place.path)]);
    if (kept.length === 0) return null;
    return Array.isArray(value) ? kept.map(([, held]) => held) : Object.fromEntries(kept);
  };
  return visit(objectShape, object, '') ?? {};
}

/** @returns `merged` without the fields that its manager applied last and nobody owns any more */
export function prune(merged: Obj, last: FieldSet, owned: FieldSet): Obj {
  if (last.size === 0) return merged;
  const all = withFieldsAbove(fieldsOf(merged));
  const before = withFieldsAbove(last);
  const left = (object: Obj): FieldSet => withFieldsAbove(fieldsOf(object));
  const pruned = remove(merged, before);
  const withOwned = remove(merged, difference(all, union(left(pruned), withFieldsAbove(owned))));
  return remove(merged, intersection(difference(all, left(withOwned)), before));
}
