import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

/** The rules that keep the house in order: what may import what, and which folders touch nothing but their arguments. */

const root = join(import.meta.dirname, '..', '..');
const src = join(root, 'src');

interface Import {
  readonly specifier: string;
  /** What stands between `import` and `from`. */
  readonly names: string;
  readonly typeOnly: boolean;
}

interface Module {
  /** Relative to src, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

const importPattern = /^\s*(?:import|export)\s+(type\s)?(?:([^'";]*?)\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;

const modules: readonly Module[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(join(src, path), 'utf8');
    const imports = [...text.matchAll(importPattern)].map(([, type, names = '', fixed, dynamic]) => ({
      specifier: fixed ?? dynamic ?? '',
      names,
      typeOnly: type !== undefined,
    }));
    return { path: path.replaceAll('\\', '/'), text, imports };
  });

const moduleAt = new Map(modules.map((module) => [module.path, module]));

/** The module of src that an import leads to. */
const target = (from: Module, { specifier }: Import): Module | undefined =>
  specifier.startsWith('.') ? moduleAt.get(relative(src, join(src, dirname(from.path), specifier)).replaceAll('\\', '/')) : undefined;

/** Upper layers import lower ones. Folders of one layer may know each other. */
const layers: readonly (readonly string[])[] = [
  ['cli'],
  ['commands'],
  ['operations', 'diagnosis', 'snapshot', 'report', 'project', 'sandbox'],
  ['manifests', 'cluster', 'pki', 'config'],
  ['errors.ts'],
];

const layerOf = ({ path }: Module): number => layers.findIndex((folders) => folders.includes(path.split('/')[0] ?? ''));

describe('imports', () => {
  test('are found', () => {
    expect(modules.length).toBeGreaterThan(60);
    expect(moduleAt.get('cli/program.ts')?.imports).toContainEqual({
      specifier: './action.ts',
      names: '{ Run }',
      typeOnly: true,
    });
    expect(moduleAt.get('cli/commands.ts')?.imports).toContainEqual({ specifier: '../commands/init.ts', names: '', typeOnly: false });
  });

  test('every module has its layer', () => {
    expect(modules.filter((module) => layerOf(module) === -1).map(({ path }) => path)).toEqual([]);
  });

  test('point down', () => {
    const upward = modules.flatMap((module) =>
      module.imports.flatMap((each) => {
        const found = target(module, each);
        return found && layerOf(found) < layerOf(module) ? [`${module.path} -> ${found.path}`] : [];
      }),
    );
    expect(upward).toEqual([]);
  });

  test('only cluster/ knows @kubernetes/client-node', () => {
    const users = modules.filter(({ imports }) => imports.some(({ specifier }) => specifier.startsWith('@kubernetes/')));
    expect(new Set(users.map(({ path }) => dirname(path)))).toEqual(new Set(['cluster']));
  });

  test('only cli/ and the sandbox know the process and the console', () => {
    const users = modules.filter(
      ({ text }) => /\bprocess\.(?!env\b)|\bconsole\./.test(withoutComments(text)) || /'node:process'/.test(text),
    );
    expect(users.map(({ path }) => path).filter((path) => !/^(cli|sandbox)\//.test(path))).toEqual([]);
  });
});

const purePaths = [
  /^pki\//,
  /^manifests\//,
  /^report\//,
  /^diagnosis\/(checks|catalog)\//,
  /^diagnosis\/(?!json-schema|schema)/,
  /^snapshot\/(types|views|server-view|server-flags|secret-mounts|pod-view|targets)\.ts$/,
];
const pure = modules.filter(({ path }) => purePaths.some((pattern) => pattern.test(path)));
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

/** What a module loads, itself included, by imports of values. */
function loadedBy(start: Module): Module[] {
  const found = new Set([start]);
  for (const module of found) {
    for (const each of module.imports) {
      const next = each.typeOnly ? undefined : target(module, each);
      if (next) found.add(next);
    }
  }
  return [...found];
}

const outside =
  /^(@kubernetes\/.*|(node:)?(fs|fs\/promises|net|tls|http|https|http2|dns|child_process|process|os|timers.*|worker_threads))$/;

/** Whether a text is an IP address is a question about the text, wherever Node keeps the answer. */
const touches = ({ specifier, names, typeOnly }: Import): boolean =>
  !typeOnly && outside.test(specifier) && !(specifier === 'node:net' && /^\{ (?:(?:isIP|isIPv4|isIPv6),? )+\}$/.test(names));

describe('pure modules', () => {
  test('are there', () => {
    expect(pure.length).toBeGreaterThan(35);
  });

  test.each(pure.map((module) => [module.path, module] as const))('%s loads nothing that touches the world', (_, module) => {
    const touching = loadedBy(module).flatMap(({ path, imports }) =>
      imports.filter(touches).map(({ specifier }) => `${path}: ${specifier}`),
    );
    expect(touching).toEqual([]);
  });

  test.each(pure.map((module) => [module.path, module] as const))('%s has no clock and no environment', (_, { text }) => {
    expect(withoutComments(text)).not.toMatch(/Date\.now\(|new Date\(\)|performance\.now|\bprocess\.|\bconsole\.|\bfetch\(|setTimeout\(/);
  });
});

test('no file is long', () => {
  const long = modules.filter(({ text }) => text.split('\n').length > 300).map(({ path }) => path);
  expect(long).toEqual([]);
});

interface Metafile {
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly entryPoint?: string;
        readonly inputs: Readonly<Record<string, unknown>>;
        readonly imports: readonly { readonly path: string; readonly kind: string }[];
      }
    >
  >;
}

describe('the bundle', () => {
  const path = join(root, 'dist', 'metafile.json');
  if (!existsSync(path)) throw new Error('there is no dist/: run npm run build');
  const { outputs } = JSON.parse(readFileSync(path, 'utf8')) as Metafile;

  /** Sources of every chunk that importing the chunk of an entry point loads at once. */
  function sourcesOf(entryPoint: string): string[] {
    const start = Object.keys(outputs).find((name) => outputs[name]?.entryPoint === entryPoint);
    if (!start) throw new Error(`no chunk for ${entryPoint}`);
    const chunks = new Set([start]);
    for (const chunk of chunks) {
      for (const each of outputs[chunk]?.imports ?? []) if (each.kind === 'import-statement' && outputs[each.path]) chunks.add(each.path);
    }
    return [...chunks].flatMap((chunk) => Object.keys(outputs[chunk]?.inputs ?? {}));
  }
  const clientNode = (source: string): boolean => source.includes('node_modules/@kubernetes/');

  test.each([
    'src/cli/main.ts',
    'src/cli/completion/complete.ts',
    'src/commands/init.ts',
    'src/commands/render.ts',
    'src/commands/lint.ts',
    'src/commands/completion.ts',
  ])('%s loads no client-node', (entry) => {
    expect(sourcesOf(entry).filter(clientNode)).toEqual([]);
  });

  test.each(['src/commands/register.ts', 'src/commands/verify.ts'])('%s does', (entry) => {
    expect(sourcesOf(entry).some(clientNode)).toBe(true);
  });

  test.each(['src/commands/register.ts', 'src/commands/verify.ts'])('%s loads no WebSockets before it needs one', (entry) => {
    expect(sourcesOf(entry).filter((source) => source.includes('node_modules/ws/'))).toEqual([]);
    expect(sourcesOf('src/cluster/web-socket.ts').some((source) => source.includes('node_modules/ws/'))).toBe(true);
  });

  test('help needs neither YAML nor certificates', () => {
    expect(sourcesOf('src/cli/main.ts').filter((source) => /node_modules\/(yaml|zod|node-forge)\//.test(source))).toEqual([]);
  });
});
