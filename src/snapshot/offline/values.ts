import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import { plainValue } from './scalar.ts';

/** A path to a value in an object: keys, and indexes of lists. */
export type ValuePath = readonly (string | number)[];

export interface DocumentValue {
  readonly value: unknown;
  /** The keys that a map sets twice. The last value counts. */
  readonly duplicates: readonly { readonly path: ValuePath; readonly offset: number }[];
}

/** A fault that the YAML library does not see, but kubectl does. */
export class ValueError extends Error {
  constructor(
    message: string,
    /** Where it is in the text. */
    readonly offset: number,
  ) {
    super(message);
  }
}

/**
 * The value of a document as sigs.k8s.io/yaml converts it to JSON (yaml.go, and
 * go.yaml.in/yaml/v2, decode.go): scalars and keys of YAML 1.1, merge keys at their place, the last
 * of several equal keys.
 * @param document parsed with the failsafe schema, so that scalars are strings
 * @throws ValueError for what cannot be JSON, undefined aliases, and aliases that expand without
 * bound
 */
export function documentValue(document: Document.Parsed): DocumentValue {
  const reader = new ValueReader();
  return { value: reader.read(document.contents, []), duplicates: reader.duplicates };
}

class ValueReader {
  readonly duplicates: { readonly path: ValuePath; readonly offset: number }[] = [];
  private readonly anchors = new Map<string, Node>();
  /** The aliases that are being expanded. */
  private readonly expanding = new Set<Node>();
  private decoded = 0;
  private aliased = 0;

  /** @param path undefined inside an alias or a merge, where duplicates have been reported */
  read(node: unknown, path: ValuePath | undefined): unknown {
    if (isAlias(node)) return this.readAlias(node.source, offsetOf(node), (target) => this.read(target, undefined));
    this.count(node);
    if ((isMap(node) || isSeq(node) || isScalar(node)) && node.anchor) this.anchors.set(node.anchor, node as Node);
    if (isMap(node)) return this.readMap(node, path, new Map());
    if (isSeq(node)) return node.items.map((item, index) => this.read(item, path && [...path, index]));
    return isScalar(node) ? scalarValue(node) : null;
  }

  private readAlias<T>(name: string, offset: number, read: (target: Node) => T): T {
    const target = this.anchors.get(name);
    if (!target) throw new ValueError('unknown anchor referenced', offset);
    if (this.expanding.has(target)) throw new ValueError('the value of an anchor contains itself', offset);
    this.expanding.add(target);
    const value = read(target);
    this.expanding.delete(target);
    return value;
  }

  /** Limits aliases (go.yaml.in/yaml/v2, decode.go, allowedAliasRatio). */
  private count(node: unknown): void {
    this.decoded++;
    if (this.expanding.size > 0) this.aliased++;
    const range = Math.min(Math.max((this.decoded - 400_000) / 3_600_000, 0), 1);
    if (this.aliased > 100 && this.decoded > 1000 && this.aliased / this.decoded > 0.99 - 0.89 * range)
      throw new ValueError('document contains excessive aliasing', offsetOf(node));
  }

  private readMap(map: YAMLMap, path: ValuePath | undefined, into: Map<string, unknown>): Record<string, unknown> {
    this.addPairs(map, path, into);
    return Object.fromEntries(into);
  }

  private addPairs(map: YAMLMap, path: ValuePath | undefined, into: Map<string, unknown>): void {
    const own = new Set<string>();
    for (const pair of map.items) {
      if (isMerge(pair)) {
        this.merge(pair.value, into);
        continue;
      }
      const key = this.keyOf(pair, offsetOf(map));
      if (own.has(key) && path) this.duplicates.push({ path: [...path, key], offset: offsetOf(pair.key) });
      own.add(key);
      into.set(key, this.read(pair.value, path && [...path, key]));
    }
  }

  private keyOf({ key }: Pair, offset: number): string {
    const value = this.read(key, undefined);
    if (typeof value === 'string') return value;
    if (typeof value === 'boolean') return String(value);
    if (typeof value === 'number') return Number.isFinite(value) ? String(value) : (key as { source: string }).source;
    throw new ValueError(value === null ? 'a key is null' : 'a key is a map or a list', key ? offsetOf(key) : offset);
  }

  private merge(node: unknown, into: Map<string, unknown>): void {
    if (isAlias(node)) {
      this.readAlias(node.source, offsetOf(node), (target) => this.merge(target, into));
      return;
    }
    if (isMap(node)) {
      this.count(node);
      this.addPairs(node, undefined, into);
      return;
    }
    if (!isSeq(node)) throw new ValueError('map merge requires map or sequence of maps as the value', offsetOf(node));
    // Earlier maps take precedence.
    for (const item of node.items.toReversed()) this.merge(item, into);
  }
}

const offsetOf = (node: unknown): number => (node as { readonly range?: readonly number[] } | null)?.range?.[0] ?? 0;

const isMerge = ({ key }: Pair): boolean => isScalar(key) && key.value === '<<' && isPlain(key);

const isPlain = ({ type, tag }: { readonly type?: unknown; readonly tag?: string }): boolean =>
  (type === undefined || type === 'PLAIN') && (tag === undefined || tag === 'tag:yaml.org,2002:str');

interface ScalarNode {
  readonly value: unknown;
  readonly type?: unknown;
  readonly tag?: string;
}

/** The tags of scalars that are resolved as if they were plain (resolve.go, resolvableTag). */
const resolved = ['bool', 'int', 'float', 'null'].map((name) => `tag:yaml.org,2002:${name}`);

function scalarValue(node: ScalarNode): unknown {
  const text = typeof node.value === 'string' ? node.value : '';
  if (node.tag === undefined) return node.type === undefined || node.type === 'PLAIN' ? finite(plainValue(text), node) : text;
  if (node.tag === 'tag:yaml.org,2002:binary') return Buffer.from(text, 'base64').toString();
  return resolved.includes(node.tag) ? finite(plainValue(text), node) : text;
}

function finite(value: unknown, node: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new ValueError('JSON has no such number', offsetOf(node));
  return value;
}

/** The node at a path, as far as the path exists. The last of several equal keys. */
export function nodeAt(document: Document.Parsed, path: ValuePath): number {
  let node: unknown = document.contents;
  let offset = offsetOf(node);
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.findLast(({ key }) => isScalar(key) && key.value === step);
      if (!pair) return offset;
      offset = offsetOf(pair.key);
      node = pair.value;
    } else if (isSeq(node)) {
      node = typeof step === 'number' ? node.items[step] : undefined;
      if (node === undefined) return offset;
      offset = offsetOf(node);
    } else return offset;
  }
  return offset;
}
