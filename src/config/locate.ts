import { type Document, isAlias, isCollection, isMap, isPair, isScalar, isSeq, type Node } from 'yaml';

/** The nodes at a path: the value and, in a mapping, its key. */
export interface Place {
  readonly key: Node | undefined;
  readonly value: Node | undefined;
}

const followed = (document: Document, node: unknown): Node | undefined =>
  isAlias(node) ? node.resolve(document) : isScalar(node) || isCollection(node) ? node : undefined;

/** Finds the nodes at a path, through aliases; undefined when the path does not exist. */
export function placeOf(document: Document, path: readonly PropertyKey[]): Place | undefined {
  let place: Place = { key: undefined, value: followed(document, document.contents) };
  for (const part of path) {
    const { value: parent }: Place = place;
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(part));
      if (!pair) return undefined;
      place = { key: pair.key as Node, value: followed(document, pair.value) };
    } else if (isSeq(parent) && typeof part === 'number' && part < parent.items.length) {
      place = { key: undefined, value: followed(document, parent.items[part]) };
    } else return undefined;
  }
  return place;
}

/** Where a message about a value points: at a scalar itself, otherwise at its key. */
export function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  const place = placeOf(document, path);
  if (!place) return path.length === 0 ? 0 : offsetOf(document, path.slice(0, -1));
  const { key, value } = place;
  const pointAtValue = isScalar(value) && value.source !== '';
  return ((pointAtValue ? value.range : undefined) ?? key?.range ?? value?.range)?.[0] ?? 0;
}

/** The offset of the key itself, for keys that are not allowed. */
export const keyOffset = (document: Document, path: readonly PropertyKey[]): number =>
  placeOf(document, path)?.key?.range?.[0] ?? offsetOf(document, path);

/** The path of a node, from its ancestors as `visit` of yaml gives them, outermost first. */
export function pathOf(ancestors: readonly unknown[], node: unknown): PropertyKey[] {
  return [...ancestors, node].flatMap((ancestor, index, chain): PropertyKey[] => {
    if (isPair(ancestor)) return [String(isScalar(ancestor.key) ? ancestor.key.value : ancestor.key)];
    const next = chain[index + 1];
    return isSeq(ancestor) && next !== undefined ? [ancestor.items.indexOf(next)] : [];
  });
}
