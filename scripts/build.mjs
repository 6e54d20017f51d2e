// Bundles src/cli/main.ts into dist/, with code splitting: a command that needs no cluster never loads @kubernetes/client-node.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { thirdPartyNotices } from './third-party-notices.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/**
 * What packages import and apisvc never calls, by importer: it would more than double the time that a command needs to start. Of @kubernetes/client-node
 * only the reading of kubeconfigs and credentials is used; jsonpath-plus serves the auth providers gcp and azure, which kubectl 1.26 gave up. commander
 * starts other programs for subcommands that are files of their own; ours are not.
 * @type {{ importer: RegExp, modules: Record<string, string> }[]}
 */
const unused = [
  {
    importer: /client-node\/dist\/\w+\.js$/,
    modules: {
      './gen/index.js': 'export const createConfiguration = undefined, ServerConfiguration = undefined;',
      'node-fetch': 'export const Headers = undefined;',
      // Loaded only for a kubeconfig with a SOCKS proxy.
      'socks-proxy-agent': `export function SocksProxyAgent(...args) { return new (require('socks-proxy-agent').SocksProxyAgent)(...args); }`,
      'jsonpath-plus': `export function JSONPath() {
        throw new Error('the auth providers gcp and azure are no longer supported; use an exec plugin, as kubectl does');
      }`,
    },
  },
  { importer: /commander\/lib\/\w+\.js$/, modules: { 'node:child_process': 'module.exports = {};' } },
  // Native and optional; ws does without what can't be loaded.
  {
    importer: /ws\/lib\/[\w-]+\.js$/,
    modules: { bufferutil: `throw new Error('not bundled');`, 'utf-8-validate': `throw new Error('not bundled');` },
  },
];

/** @type {import('esbuild').Plugin} */
const leaveOutUnused = {
  name: 'leave-out-unused',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /.*/ }, ({ path, importer }) => {
      const contents = unused.find((each) => each.importer.test(importer))?.modules[path];
      return contents === undefined ? undefined : { path, namespace: 'unused', pluginData: contents };
    });
    onLoad({ filter: /.*/, namespace: 'unused' }, ({ pluginData }) => ({ contents: pluginData, resolveDir: 'node_modules' }));
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
  plugins: [leaveOutUnused],
  loader: { '.yaml': 'text', '.bash': 'text', '.zsh': 'text', '.fish': 'text' },
  // CommonJS packages in the bundle still call require, for Node's own modules only.
  banner: { js: 'const require = process.getBuiltinModule;' },
});
writeFileSync(`${fresh}/THIRD-PARTY-NOTICES.txt`, thirdPartyNotices(metafile));
writeFileSync(`${fresh}/metafile.json`, JSON.stringify(metafile).replaceAll(`"${fresh}/`, '"dist/'));
// What runs meanwhile finds the old bundle or the new one.
rmSync('dist', { recursive: true, force: true });
renameSync(fresh, 'dist');
await import('./json-schema.mjs');
