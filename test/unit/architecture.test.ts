import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { circles, type Import, importsOf, loadedBy, type Module, moduleAt, modules, target, targetsOf } from './import-graph.ts';

/**
 * The rules of the source tree: which folder may import which, and which folders are pure. The
 * tests walk the tree, so they cover new files. A new top-level folder fails until it has a layer.
 */

/**
 * Each layer imports only its own folder and lower layers. Folders of one layer do not import each
 * other.
 */
const layers: readonly (readonly string[])[] = [
  ['cli'],
  ['commands'],
  ['report'],
  ['operations'],
  ['issuers'],
  ['diagnosis'],
  ['snapshot'],
  ['sandbox'],
  ['cluster', 'project'],
  ['manifests'],
  ['config'],
  ['pki'],
  ['errors.ts'],
];

const folderOf = ({ path }: Module): string => path.split('/')[0] ?? '';
const layerOf = (module: Module): number => layers.findIndex((folders) => folders.includes(folderOf(module)));

/** The imports between modules of src that break a rule, as `from -> to`. */
const importsThat = (breakRule: (from: Module, to: Module) => boolean): string[] =>
  modules.flatMap((from) => targetsOf(from).flatMap((to) => (breakRule(from, to) ? [`${from.path} -> ${to.path}`] : [])));

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

describe('the import graph', () => {
  test('contains the source tree', () => {
    expect(modules.length).toBeGreaterThan(200);
    expect(moduleAt.get('cli/program.ts')?.imports).toContainEqual({ specifier: './action.ts', names: '{ Run }', typeOnly: true });
    expect(moduleAt.get('cli/declarations/lint.ts')?.imports).toContainEqual({
      specifier: '../../commands/lint.ts',
      names: '',
      typeOnly: false,
    });
    expect(modules.flatMap(targetsOf).length).toBeGreaterThan(800);
  });

  test('every import of a TypeScript file is found in the tree', () => {
    const unknown = modules.flatMap((module) =>
      module.imports
        .filter((each) => /^\..*\.ts$/.test(each.specifier) && !target(module, each))
        .map(({ specifier }) => `${module.path}: ${specifier}`),
    );
    expect(unknown).toEqual([]);
  });

  test.each([
    ["import a from './a.ts';", './a.ts', false],
    ["import type { A } from './a.ts';", './a.ts', true],
    ["export { a } from './a.ts';", './a.ts', false],
    ["export type { A } from './a.ts';", './a.ts', true],
    ["const a = () => import('./a.ts');", './a.ts', false],
    ["import './a.ts';", './a.ts', false],
    ["import {\n  a,\n  b,\n} from './a.ts';", './a.ts', false],
  ])('reads %j', (text, specifier, typeOnly) => {
    expect(importsOf(text)).toMatchObject([{ specifier, typeOnly }]);
  });

  test('finds circles', () => {
    const graph: Readonly<Record<string, readonly string[]>> = { a: ['b'], b: ['c', 'd'], c: ['a'], d: ['e'], e: [], f: ['f'] };
    expect(circles(Object.keys(graph), (node) => graph[node] ?? [])).toEqual([['a', 'b', 'c'], ['f']]);
  });
});

describe('layers', () => {
  test('every file of src belongs to a layer', () => {
    expect(modules.filter((module) => layerOf(module) === -1).map(({ path }) => path)).toEqual([]);
  });

  test('imports point down', () => {
    expect(importsThat((from, to) => folderOf(from) !== folderOf(to) && layerOf(to) <= layerOf(from))).toEqual([]);
  });

  test('the parts of sandbox/ import only shared/ and themselves', () => {
    const partOf = ({ path }: Module): string | undefined => /^sandbox\/([^/]+)\//.exec(path)?.[1];
    expect(new Set(modules.map(partOf))).toEqual(new Set([undefined, 'demo', 'node', 'real', 'shared', 'simulated']));
    expect(importsThat((from, to) => partOf(from) !== undefined && ![undefined, 'shared', partOf(from)].includes(partOf(to)))).toEqual([]);
  });

  test('the folders of operations/ point one way: the lists of steps, the steps, and what a rotation knows', () => {
    const order = ['monitor', 'rotate', 'renew', 'register', 'from-cluster', 'secure', 'unregister', 'signer', 'steps', 'rotation'];
    const partOf = ({ path }: Module): number => order.indexOf(/^operations\/([^/]+)\//.exec(path)?.[1] ?? '');
    const inFolders = modules.filter(({ path }) => /^operations\/[^/]+\//.test(path));
    expect(inFolders.filter((module) => partOf(module) === -1)).toEqual([]);
    expect(importsThat((from, to) => partOf(to) !== -1 && partOf(to) < partOf(from))).toEqual([]);
  });

  test('there are no circles, not even of types', () => {
    const edges = (path: string): string[] => targetsOf(moduleAt.get(path) as Module).map((to) => to.path);
    expect(circles([...moduleAt.keys()], edges)).toEqual([]);
  });

  test('the sandbox has one door, src/sandbox/index.ts, for commands/ and cli/', () => {
    const outside = (from: Module, to: Module): boolean => folderOf(to) === 'sandbox' && folderOf(from) !== 'sandbox';
    expect(importsThat((from, to) => outside(from, to) && to.path !== 'sandbox/index.ts')).toEqual([]);
    expect(importsThat((from, to) => outside(from, to) && !['commands', 'cli'].includes(folderOf(from)))).toEqual([]);
  });

  test('only cluster/ imports @kubernetes/client-node', () => {
    const users = modules.filter(({ imports }) => imports.some(({ specifier }) => specifier.startsWith('@kubernetes/')));
    expect(new Set(users.map(({ path }) => dirname(path)))).toEqual(new Set(['cluster']));
  });

  test('only cli/ and sandbox/ use the process and the console', () => {
    const users = modules.filter(
      ({ text }) => /\bprocess\.(?!env\b)|\bconsole\./.test(withoutComments(text)) || /'node:process'/.test(text),
    );
    expect(users.map(({ path }) => path).filter((path) => !/^(cli|sandbox)\//.test(path))).toEqual([]);
  });
});

/**
 * Pure folders: no clock, no files, no network. collect/ is the part of snapshot/ that talks to a
 * cluster.
 */
const pureFolders = /^(?:diagnosis|manifests|pki|report|snapshot(?!\/collect))\//;

const outside =
  /^(@kubernetes\/.*|(node:)?(fs|fs\/promises|net|tls|http|https|http2|dns|child_process|process|os|timers.*|worker_threads))$/;

/** isIP and its kin only parse text, although node:net exports them. */
const isImpure = ({ specifier, names, typeOnly }: Import): boolean =>
  !typeOnly && outside.test(specifier) && !(specifier === 'node:net' && /^\{ (?:(?:isIP|isIPv4|isIPv6),? )+\}$/.test(names));

describe('pure folders', () => {
  const pure = modules.filter(({ path }) => pureFolders.test(path)).map((module) => [module.path, module] as const);

  test('exist', () => {
    expect(new Set(pure.map(([path]) => path.split('/')[0]))).toEqual(new Set(['diagnosis', 'manifests', 'pki', 'report', 'snapshot']));
    expect(pure.length).toBeGreaterThan(100);
  });

  test.each(pure)('%s loads no module with side effects', (_, module) => {
    const impure = loadedBy(module).flatMap(({ path, imports }) =>
      imports.filter(isImpure).map(({ specifier }) => `${path}: ${specifier}`),
    );
    expect(impure).toEqual([]);
  });

  test.each(pure)('%s has no clock and no environment', (_, { text }) => {
    expect(withoutComments(text)).not.toMatch(/Date\.now\(|new Date\(\)|performance\.now|\bprocess\.|\bconsole\.|\bfetch\(|setTimeout\(/);
  });
});

describe('the files of the repository', () => {
  const root = join(import.meta.dirname, '..', '..');
  /** What git ignores is made by tools. */
  const made = ['.git', ...readFileSync(join(root, '.gitignore'), 'utf8').split('\n')].map((name) => name.replaceAll('/', ''));
  const walked = readdirSync(root, { withFileTypes: true })
    .filter((entry) => !made.includes(entry.name))
    .flatMap((entry) =>
      entry.isDirectory()
        ? readdirSync(join(root, entry.name), { recursive: true, encoding: 'utf8' }).map((path) => `${entry.name}/${path}`)
        : [entry.name],
    );
  const code = walked.filter((path) => /\.(?:[cm]?[jt]s|go|sh|bash|fish|zsh)$|^\.ci\/run$/.test(path));

  test.each(['.ci', 'action', 'bench', 'bin', 'scripts', 'src', 'templates', 'test', 'types'])('contain the code of %s', (folder) => {
    expect(code.some((path) => path.startsWith(`${folder}/`))).toBe(true);
  });

  test('have at most 300 lines where they are code', () => {
    const lines = (path: string): number => readFileSync(join(root, path), 'utf8').split('\n').length - 1;
    expect(code.length).toBeGreaterThan(1300);
    expect(code.filter((path) => lines(path) > 300)).toEqual([]);
  });
});

test('unit tests need no build', () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  const built = /from '(\.\.\/)+cli\/|'dist'[,)]|'apisvc\.js'/;
  expect(files.filter((path) => built.test(readFileSync(join(import.meta.dirname, path), 'utf8')))).toEqual([]);
});
