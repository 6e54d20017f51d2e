import { isLeaf, objectShape, type Place, placesIn, type Shape } from './merge-keys.ts';
import type { Obj } from './types.ts';

/**
 * Paths that somebody owns: path elements (`f:spec`, `k:{"name":"app"}`, `v:"x"`), joined by
 * `separator`.
 */
export type FieldSet = ReadonlySet<string>;

// In no name of a field; JSON escapes it.
const separator = '\n';

/** The path of what `element` is in `path`, which is empty for the object itself. */
export const join = (path: string, element: string): string => (path === '' ? element : path + separator + element);

/** The path of a field by the names that lead to it. */
export const pathOf = (...names: readonly string[]): string => names.map((name) => `f:${name}`).join(separator);

export const union = (...sets: readonly FieldSet[]): FieldSet => new Set(sets.flatMap((set) => [...set]));
export const difference = (a: FieldSet, b: FieldSet): FieldSet => new Set([...a].filter((path) => !b.has(path)));
export const intersection = (a: FieldSet, b: FieldSet): FieldSet => new Set([...a].filter((path) => b.has(path)));

/** @returns the set without these paths and all below them */
export const without = (set: FieldSet, roots: readonly string[]): FieldSet =>
  new Set([...set].filter((path) => !roots.some((root) => path === root || path.startsWith(root + separator))));

/** @returns the paths above those of the set */
export function above(set: FieldSet): FieldSet {
  const found = new Set<string>();
  for (const path of set)
    for (let at = path.lastIndexOf(separator); at > 0; at = path.lastIndexOf(separator, at - 1)) found.add(path.slice(0, at));
  return found;
}

/**
 * @returns the set with the fields that lead to what is in it, which are nobody's by themselves
 * (Set.EnsureNamedFieldsAreMembers)
 */
export const withFieldsAbove = (set: FieldSet): FieldSet =>
  union(set, new Set([...above(set)].filter((path) => path.slice(path.lastIndexOf(separator) + 1).startsWith('f:'))));

/**
 * Those of one path element together: elements of a list that share their keys belong to one
 * manager (structured-merge-diff, typed/tofieldset.go).
 */
export function byElement(places: readonly Place[]): Map<string, Place> {
  const found = new Map<string, Place>();
  for (const place of places) {
    const twin = found.get(place.element);
    found.set(place.element, twin ? { ...place, shape: { atomic: true }, value: [twin.value, place.value].flat() } : place);
  }
  return found;
}

/** @returns what a manager owns who applies `object` */
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

/** @throws SyntaxError when it is no path element */
const valuesOf = (element: string): (string | number)[] => {
  if (element.startsWith('f:')) return [element];
  const parsed = JSON.parse(element.slice(2));
  return element.startsWith('k:') ? Object.entries<string | number>(parsed).flat() : [parsed];
};

/**
 * The order of kube-apiserver: fields, keys, values; numbers as numbers (structured-merge-diff,
 * fieldpath/element.go).
 */
function compareElements(a: string, b: string): number {
  if (a[0] !== b[0]) return a < b ? -1 : 1;
  const ours = valuesOf(a);
  const theirs = valuesOf(b);
  const at = ours.findIndex((value, index) => value !== theirs[index]);
  if (at < 0) return ours.length - theirs.length;
  const other = theirs[at];
  return other !== undefined && (ours[at] as typeof other) < other ? -1 : 1;
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

const sorted = ({ below }: Tree): [string, Tree][] => [...below].sort(([a], [b]) => compareElements(a, b));

/**
 * @returns `fieldsV1` of an entry of managedFields: `.` stands for what is owned itself where more
 * is owned below it
 */
export function toFieldsV1(set: FieldSet): Obj {
  const encode = (tree: Tree): Obj => ({
    ...(tree.owned && tree.below.size > 0 ? { '.': {} } : {}),
    ...Object.fromEntries(sorted(tree).map(([element, node]) => [element, encode(node)])),
  });
  return encode(treeOf(set));
}

/** The opposite of `toFieldsV1`. @throws TypeError or SyntaxError for what is no such thing */
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

/** A path element as people read it: `.spec`, `[port=443,protocol="TCP"]`, `[="x"]`. */
function wordOf(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('v:')) return `[=${rest}]`;
  return `[${Object.entries(JSON.parse(rest)).map(([key, value]) => `${key}=${JSON.stringify(value)}`)}]`;
}

/**
 * @returns the paths as people read them, in the order of kube-apiserver: at each level first what
 * is owned itself
 */
export function wordsOf(set: FieldSet): string[] {
  const visit = (tree: Tree, before: string): string[] => {
    const places = sorted(tree).map(([element, node]) => ({ words: before + wordOf(element), node }));
    return [
      ...places.filter(({ node }) => node.owned).map(({ words }) => words),
      ...places.flatMap(({ words, node }) => visit(node, words)),
    ];
  };
  return visit(treeOf(set), '');
}

/** @returns what is wrong with an element of a list that its keys have to tell apart */
function problemOf(value: Obj): string | undefined {
  if (value === null) return 'associative list with keys may not have a null element';
  return typeof value === 'object' ? undefined : 'associative list with keys may not have non-map elements';
}

/**
 * @returns why the object can not be applied, in the words of structured-merge-diff
 * (typed/validate.go)
 */
export function problemsOf(object: Obj): string[] {
  const visit = (shape: Shape, value: Obj, words: string): string[] => {
    if (isLeaf(shape, value)) return [];
    const places = placesIn(shape, value);
    const bad = shape.keys ? places.findIndex((place) => problemOf(place.value)) : -1;
    const fit = bad < 0 ? places : places.slice(0, bad);
    const found = fit.flatMap(({ element, ...place }, index) => {
      const twin = places.findIndex((other) => other.element === element) < index;
      const below = visit(place.shape, place.value, words + wordOf(element));
      return twin ? [`${words}: duplicate entries for key ${wordOf(element)}`, ...below] : below;
    });
    return bad < 0 ? found : [...found, `${words}: element ${bad}: ${problemOf(places[bad]?.value)}`];
  };
  return visit(objectShape, object, '');
}
