import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './apisvc.ts';

/** What each command of the bundle loads. Libraries that it does not need would slow its start. */

interface Metafile {
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly entryPoint?: string;
        readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>;
        readonly imports: readonly { readonly path: string; readonly kind: string }[];
      }
    >
  >;
}

const { outputs } = JSON.parse(readFileSync(join(root, 'dist', 'metafile.json'), 'utf8')) as Metafile;

/** The sources of every chunk that is loaded with the chunk of an entry point. */
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
const webSockets = (source: string): boolean => source.includes('node_modules/ws/');

describe('the bundle', () => {
  test.each([
    'src/cli/main.ts',
    'src/cli/completion/complete.ts',
    'src/commands/init.ts',
    'src/commands/render.ts',
    'src/commands/lint.ts',
    'src/commands/completion.ts',
  ])('%s does not load client-node', (entry) => {
    expect(sourcesOf(entry).filter(clientNode)).toEqual([]);
  });

  test.each(['src/commands/register.ts', 'src/commands/verify.ts'])('%s loads client-node', (entry) => {
    expect(sourcesOf(entry).some(clientNode)).toBe(true);
  });

  test.each(['src/commands/register.ts', 'src/commands/verify.ts'])('%s loads no WebSockets at its start', (entry) => {
    expect(sourcesOf(entry).filter(webSockets)).toEqual([]);
    expect(sourcesOf('src/cluster/web-socket.ts').some(webSockets)).toBe(true);
  });

  test('verify loads no schemas, and what few kubeconfigs need only on demand', () => {
    const sources = sourcesOf('src/commands/verify.ts');
    expect(sources.filter((source) => /node_modules\/(zod|socks)\/|exec-plugin/.test(source))).toEqual([]);
    expect(sources.some((source) => source.includes('node_modules/yaml/'))).toBe(true);
  });

  test('only monitor loads prom-client, without OpenTelemetry', () => {
    const metrics = (source: string): boolean => /node_modules\/(prom-client|@opentelemetry)\//.test(source);
    const loading = Object.values(outputs).filter(({ inputs }) => Object.keys(inputs).some(metrics));
    expect(loading.map(({ entryPoint }) => entryPoint)).toEqual(['src/commands/monitor.ts']);
    expect(sourcesOf('src/commands/monitor.ts').some((source) => source.includes('node_modules/@opentelemetry/'))).toBe(false);
  });

  test("has none of zod's translations", () => {
    const all = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs));
    const locales = all.filter(([source, { bytesInOutput }]) => source.includes('zod/v4/locales/') && bytesInOutput > 0);
    expect(locales.map(([source]) => source)).toEqual(['node_modules/zod/v4/locales/en.js']);
  });

  test('help loads neither YAML nor schemas nor certificate libraries', () => {
    expect(sourcesOf('src/cli/main.ts').filter((source) => /node_modules\/(yaml|zod|node-forge)\//.test(source))).toEqual([]);
  });
});
