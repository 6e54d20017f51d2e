// Bundles src/cli/main.ts into dist/, with code splitting: a command that needs no cluster never loads @kubernetes/client-node.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { thirdPartyNotices } from './third-party-notices.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/**
 * Of @kubernetes/client-node only the reading of kubeconfigs and credentials is used. What comes along with that and is never called (the generated API
 * classes, node-fetch) would double the time that a command needs to start; jsonpath-plus serves the auth providers gcp and azure, which kubectl 1.26 gave up.
 * @type {Record<string, string>}
 */
const stubs = {
  './gen/index.js': 'export const createConfiguration = undefined, ServerConfiguration = undefined;',
  'node-fetch': 'export const Headers = undefined;',
  // Loaded only for a kubeconfig with a SOCKS proxy.
  'socks-proxy-agent': `export function SocksProxyAgent(...args) { return new (require('socks-proxy-agent').SocksProxyAgent)(...args); }`,
  'jsonpath-plus': `export function JSONPath() {
    throw new Error('the auth providers gcp and azure are no longer supported; use an exec plugin, as kubectl does');
  }`,
};

/** @type {import('esbuild').Plugin} */
const kubeconfigOnly = {
  name: 'kubeconfig-only',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /.*/ }, ({ path, importer }) =>
      path in stubs && /client-node\/dist\/\w+\.js$/.test(importer) ? { path, namespace: 'stub' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'stub' }, ({ path }) => ({ contents: stubs[path] ?? '', resolveDir: 'node_modules' }));
  },
};

const fresh = 'dist.new';
rmSync(fresh, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { main: 'src/cli/main.ts' },
  outdir: fresh,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  minify: true,
  sourcemap: false,
  metafile: true,
  logLevel: 'warning',
  define: { APISVC_VERSION: JSON.stringify(version) },
  plugins: [kubeconfigOnly],
  loader: { '.yaml': 'text' },
  // CommonJS packages in an ES module bundle still call require for Node's own modules.
  banner: {
    js: "import { createRequire as apisvcCreateRequire } from 'node:module'; const require = apisvcCreateRequire(import.meta.url);",
  },
});
writeFileSync(`${fresh}/THIRD-PARTY-NOTICES.txt`, thirdPartyNotices(metafile));
writeFileSync(`${fresh}/metafile.json`, JSON.stringify(metafile).replaceAll(`"${fresh}/`, '"dist/'));
// What runs meanwhile finds the old bundle or the new one.
rmSync('dist', { recursive: true, force: true });
renameSync(fresh, 'dist');
await import('./json-schema.mjs');
