import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** The import graph of src, read from the source files. */

const src = join(import.meta.dirname, '..', '..', 'src');

export interface Import {
  readonly specifier: string;
  /** The text between `import` and `from`. */
  readonly names: string;
  readonly typeOnly: boolean;
}

export interface Module {
  /** Relative to src, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

const importPattern = /^\s*(?:import|export)\s+(type\s)?(?:([^'";]*?)\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;

/** Finds static, dynamic and type imports, and re-exports. */
export const importsOf = (text: string): readonly Import[] =>
  [...text.matchAll(importPattern)].map(([, type, names = '', fixed, dynamic]) => ({
    specifier: fixed ?? dynamic ?? '',
    names,
    typeOnly: type !== undefined,
  }));

export const modules: readonly Module[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(join(src, path), 'utf8');
    return { path: path.replaceAll('\\', '/'), text, imports: importsOf(text) };
  });

export const moduleAt: ReadonlyMap<string, Module> = new Map(modules.map((module) => [module.path, module]));

/** The module that an import loads. @returns undefined for packages and text files */
export const target = ({ path }: Module, { specifier }: Import): Module | undefined =>
  specifier.startsWith('.') ? moduleAt.get(posix.join(dirname(path), specifier)) : undefined;

/** The modules that a module imports, types included. */
export const targetsOf = (module: Module): readonly Module[] => module.imports.flatMap((each) => target(module, each) ?? []);

/** The modules that a module loads, itself included. Type imports load nothing. */
export function loadedBy(start: Module): readonly Module[] {
  const found = new Set([start]);
  for (const module of found) {
    for (const each of module.imports) {
      const next = each.typeOnly ? undefined : target(module, each);
      if (next) found.add(next);
    }
  }
  return [...found];
}

/**
 * Finds import circles: the strongly connected components with more than one node (Tarjan, 1972).
 * @returns the circles, each as a sorted list
 */
export function circles(nodes: readonly string[], edges: (node: string) => readonly string[]): readonly (readonly string[])[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.size - 1);
    stack.push(node);
    for (const next of edges(node)) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node) ?? 0, low.get(next) ?? 0));
    }
    if (low.get(node) === index.get(node)) {
      const component = stack.splice(stack.indexOf(node));
      if (component.length > 1 || edges(node).includes(node)) found.push(component.sort());
    }
  };
  for (const node of nodes) if (!index.has(node)) visit(node);
  return found;
}
