import { basename, dirname } from 'node:path';
import type { Disk } from '../../../src/project/disk.ts';

/** File contents by path; a directory is null. */
export type Tree = ReadonlyMap<string, string | null>;

/**
 * A disk in memory that can lose power before any operation. Renames are atomic, as in every
 * journaling file system. Of the names that no fsync has made safe, any subset may be on the disk
 * afterwards, and content without fsync is lost.
 */
export interface ModelDisk {
  readonly disk: Disk;
  /** What a process finds that is started again on this machine. */
  now(): Tree;
  /** Each content that the disk may have after a power loss now. */
  afterPowerLoss(): readonly Tree[];
}

/** Thrown in place of an operation: the process was killed before it. */
export class Killed extends Error {}

interface Node {
  readonly directory: boolean;
  text: string;
  /** Content that fsync made safe. */
  safe: string;
}

/** The names in each directory. */
type Names = ReadonlyMap<Node, Map<string, Node>>;

interface Link {
  readonly directory: Node;
  readonly name: string;
  /** Undefined removes the name. */
  readonly node: Node | undefined;
}

/** A change of names in one or two directories, atomic. */
interface Change {
  readonly links: readonly Link[];
  /** The directories that fsync has not reached since. */
  readonly unsafe: Set<Node>;
}

const fault = (code: string, path: string): Error => Object.assign(new Error(`${code}: model, ${path}`), { code });
const nodeOf = (text: string | null): Node => ({ directory: text === null, text: text ?? '', safe: text ?? '' });

/**
 * @param root the directory that everything is in; it exists and is safe
 * @param operations how many operations to allow before the process is killed
 */
export function modelDisk(root: string, start: Tree, operations = Number.POSITIVE_INFINITY): ModelDisk {
  const top = nodeOf(null);
  const names = new Map<Node, Map<string, Node>>([[top, new Map()]]);
  const changes: Change[] = [];
  const find = (path: string): Node | undefined => {
    if (path === root) return top;
    const parent = path.length > root.length ? find(dirname(path)) : undefined;
    return parent && names.get(parent)?.get(basename(path));
  };
  const directoryAt = (path: string): Node => {
    const node = find(path);
    if (!node?.directory) throw fault('ENOENT', path);
    return node;
  };
  const namesIn = (path: string): Map<string, Node> => names.get(directoryAt(path)) as Map<string, Node>;
  for (const [path, text] of start) {
    const node = nodeOf(text);
    namesIn(dirname(path)).set(basename(path), node);
    if (node.directory) names.set(node, new Map());
  }
  const origin = copyOf(names);
  let left = operations;
  const step = (): void => {
    left -= 1;
    if (left < 0) throw new Killed();
  };
  const change = (...paths: [path: string, node: Node | undefined][]): void => {
    step();
    const links = paths.map(([path, node]) => ({ directory: directoryAt(dirname(path)), name: basename(path), node }));
    const made = { links, unsafe: new Set(links.map(({ directory }) => directory)) };
    changes.push(made);
    replay(names, made);
  };
  const create = (path: string, node: Node): Node => {
    if (find(path)) throw fault('EEXIST', path);
    change([path, node]);
    if (node.directory) names.set(node, new Map());
    return node;
  };
  const disk: Disk = {
    kindOf(path) {
      const node = find(path);
      return node && (node.directory ? 'directory' : 'file');
    },
    list: (path) => [...namesIn(path).keys()].sort(),
    read: (path) => find(path)?.text,
    makeDirectory: (path) => void create(path, nodeOf(null)),
    write({ path, text }) {
      const node = create(path, nodeOf(''));
      step();
      node.text = text;
      step();
      node.safe = text;
    },
    rename(from, to) {
      const node = find(from);
      if (!node) throw fault('ENOENT', from);
      if (find(to)) throw fault('ENOTEMPTY', to);
      change([from, undefined], [to, node]);
    },
    unlink(path) {
      if (!find(path)) throw fault('ENOENT', path);
      change([path, undefined]);
    },
    removeDirectory(path) {
      if (namesIn(path).size > 0) throw fault('ENOTEMPTY', path);
      change([path, undefined]);
    },
    syncDirectory(path) {
      const node = directoryAt(path);
      step();
      for (const { unsafe } of changes) unsafe.delete(node);
    },
  };
  return {
    disk,
    now: () => treeOf(names, top, root, ({ text }) => text),
    afterPowerLoss: () =>
      subsetsOf(changes.filter(({ unsafe }) => unsafe.size > 0)).map((kept) => {
        const found = copyOf(names, origin);
        for (const each of changes) if (each.unsafe.size === 0 || kept.has(each)) replay(found, each);
        return treeOf(found, top, root, ({ safe }) => safe);
      }),
  };
}

/** Every directory of `all`, with the names that it has in `from`. */
const copyOf = (all: Names, from: Names = all): Names => new Map([...all.keys()].map((node) => [node, new Map(from.get(node))]));

/** A rename of something that was never created does nothing. */
function replay(names: Names, { links }: Change): void {
  const gone = links.find(({ node }) => node === undefined);
  const moved = links.find(({ node }) => node !== undefined)?.node;
  if (gone && moved && names.get(gone.directory)?.get(gone.name) !== moved) return;
  for (const { directory, name, node } of links) {
    if (node) names.get(directory)?.set(name, node);
    else names.get(directory)?.delete(name);
  }
}

function treeOf(names: Names, directory: Node, path: string, textOf: (node: Node) => string): Tree {
  const entries = [...(names.get(directory) ?? [])].flatMap(([name, node]): [string, string | null][] => {
    const at = `${path}/${name}`;
    return node.directory ? [[at, null], ...treeOf(names, node, at, textOf)] : [[at, textOf(node)]];
  });
  return new Map(entries);
}

function subsetsOf<T>([first, ...rest]: readonly T[]): readonly ReadonlySet<T>[] {
  if (first === undefined) return [new Set()];
  return subsetsOf(rest).flatMap((each) => [each, new Set([...each, first])]);
}
