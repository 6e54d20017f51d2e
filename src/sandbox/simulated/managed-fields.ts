import { isLeaf, objectShape, type Place, placesIn, type Shape } from './merge-keys.ts';
import type { Obj } from './types.ts';

/** Paths of fields: elements (`f:spec`, `k:{"name":"app"}`, `v:"x"`) joined by `separator`. */
export type FieldSet = ReadonlySet<string>;

// JSON escapes it, and no field name contains it.
const separator = '\n';

/** @param path - empty for the object itself */
export const join = (path: string, element: string): string => (path === '' ? element : path + separator + element);

/** The path of a field by the names that lead to it. */
export const pathOf = (...names: readonly string[]): string => names.map((name) => `f:${name}`).join(separator);

export const union = (...sets: readonly FieldSet[]): FieldSet => new Set(sets.flatMap((set) => [...set]));
export const difference = (a: FieldSet, b: FieldSet): FieldSet => new Set([...a].filter((path) => !b.has(path)));
export const intersection = (a: FieldSet, b: FieldSet): FieldSet => new Set([...a].filter((path) => b.has(path)));

/** @returns the set without these paths and all paths below them */
export const without = (set: FieldSet, roots: readonly string[]): FieldSet =>
  new Set([...set].filter((path) => !roots.some((root) => path === root || path.startsWith(root + separator))));

/** @returns the paths above those of the set */
export function above(set: FieldSet): FieldSet {
  const found = new Set<string>();
  for (const path of set)
    for (let at = path.lastIndexOf(separator); at > 0; at = path.lastIndexOf(separator, at - 1)) found.add(path.slice(0, at));
  return found;
}

/** @returns the set with the named fields above its paths (Set.EnsureNamedFieldsAreMembers) */
export const withFieldsAbove = (set: FieldSet): FieldSet =>
  union(set, new Set([...above(set)].filter((path) => path.slice(path.lastIndexOf(separator) + 1).startsWith('f:'))));

/**
 * Elements of a list with equal keys belong together (structured-merge-diff, typed/tofieldset.go).
 */
export function byElement(places: readonly Place[]): Map<string, Place> {
  const found = new Map<string, Place>();
  for (const place of places) {
    const twin = found.get(place.element);
    found.set(place.element, twin ? { ...place, shape: { atomic: true }, value: [twin.value, place.value].flat() } : place);
  }
  return found;
}

/** @returns the fields that a manager owns who applies `object` */
export function fieldsOf(object: Obj): FieldSet {
  const found = new Set<string>();
  const visit = (shape: Shape, value: Obj, path: string): void => {
    for (const place of byElement(placesIn(shape, value)).values()) {
      const here = join(path, place.element);
      const leaf = isLeaf(place.shape, place.value);
      if (!leaf) visit(place.shape, place.value, here);
      const emptyMap = !leaf && !Array.isArray(place.value) && Object.keys(place.value).length === 0;
      if (leaf || emptyMap || !place.element.startsWith('f:')) found.add(here);
    }
  };
  visit(objectShape, object, '');
  return found;
}

interface Tree {
  owned: boolean;
  readonly below: Map<string, Tree>;
}

function treeOf(set: FieldSet): Tree {
  const root: Tree = { owned: false, below: new Map() };
  for (const path of set) {
    let node = root;
    for (const element of path.split(separator)) {
      const next = node.below.get(element) ?? { owned: false, below: new Map() };
      node.below.set(element, next);
      node = next;
    }
    node.owned = true;
  }
  return root;
}

const sorted = ({ below }: Tree): [string, Tree][] => [...below].sort(([a], [b]) => (a < b ? -1 : 1));

/** @returns `fieldsV1` of managedFields; `.` is a path that is owned beside paths below it */
export function toFieldsV1(set: FieldSet): Obj {
  const encode = (tree: Tree): Obj => ({
    ...(tree.owned && tree.below.size > 0 ? { '.': {} } : {}),
    ...Object.fromEntries(sorted(tree).map(([element, node]) => [element, encode(node)])),
  });
  return encode(treeOf(set));
}

/** The inverse of `toFieldsV1`. */
export function fromFieldsV1(fields: Obj): FieldSet {
  const found = new Set<string>();
  const visit = (node: Obj, path: string): void => {
    for (const [element, below] of Object.entries<Obj>(node)) {
      if (element === '.') found.add(path);
      else if (Object.keys(below).length === 0) found.add(join(path, element));
      else visit(below, join(path, element));
    }
  };
  visit(fields, '');
  return found;
}

/** `.spec`, `[port=443,protocol="TCP"]`, `[="x"]`. */
function displayElement(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('v:')) return `[=${rest}]`;
  return `[${Object.entries(JSON.parse(rest)).map(([key, value]) => `${key}=${JSON.stringify(value)}`)}]`;
}

/** @returns the paths as conflicts show them */
export const displayPaths = (set: FieldSet): string[] => [...set].sort().map((path) => path.split(separator).map(displayElement).join(''));
