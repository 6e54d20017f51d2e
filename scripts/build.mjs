// Bundles src/cli/main.ts into dist/. With code splitting, a command that needs no cluster never
// loads @kubernetes/client-node.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { commonJsFiles } from './commonjs.mjs';
import { thirdPartyNotices } from './third-party-notices.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/**
 * Imports of packages that apisvc never calls, by importer. With them, a command takes more than
 * twice as long to start. apisvc uses only the agents of @kubernetes/client-node. It reads
 * kubeconfigs and credentials itself, by the rules of kubectl. commander imports child_process for
 * subcommands in separate files, which apisvc does not have.
 * @type {{ importer: RegExp, modules: Record<string, string> }[]}
 */
const unused = [
  {
    importer: /client-node\/dist\/\w+\.js$/,
    modules: {
      './gen/index.js': 'export const createConfiguration = undefined, ServerConfiguration = undefined;',
      // Only for the default kubeconfig of WSL.
      'node:child_process': 'export default undefined;',
      'node-fetch': 'export const Headers = undefined;',
      // In a file of its own, for a kubeconfig with a SOCKS proxy.
      'socks-proxy-agent': `export function SocksProxyAgent(...args) { return new (require('./socks-proxy-agent.cjs').default.SocksProxyAgent)(...args); }`,
      'js-yaml': 'export default undefined;',
      ...Object.fromEntries(
        Object.entries({
          azure_auth: 'AzureAuth',
          exec_auth: 'ExecAuth',
          file_auth: 'FileAuth',
          gcp_auth: 'GoogleCloudPlatformAuth',
          oidc_auth: 'OpenIDConnectAuth',
        }).map(([file, name]) => [`./${file}.js`, `export class ${name} { isAuthProvider() { return false; } }`]),
      ),
    },
  },
  { importer: /commander\/lib\/\w+\.js$/, modules: { 'node:child_process': 'module.exports = {};' } },
  // Only for exemplars of OpenTelemetry, which apisvc does not enable.
  { importer: /prom-client\/lib\/metrics\/\w+\.js$/, modules: { '@opentelemetry/api': 'module.exports = {};' } },
  // Optional native modules; ws works without them.
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
const target = 'node20.19';
const built = await build({
  entryPoints: { main: 'src/cli/main.ts', 'socks-proxy-agent': 'socks-proxy-agent' },
  outdir: fresh,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target,
  minify: true,
  sourcemap: false,
  write: false,
  metafile: true,
  outExtension: { '.js': '.cjs' },
  logLevel: 'warning',
  define: { APISVC_VERSION: JSON.stringify(version), 'import.meta.dirname': '__dirname' },
  alias: { yaml: './node_modules/yaml/browser/dist/index.js' },
  external: ['./socks-proxy-agent.cjs'],
  plugins: [leaveOutUnused],
  loader: { '.yaml': 'text', '.bash': 'text', '.zsh': 'text', '.fish': 'text' },
});
rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh);
for (const [name, code] of await commonJsFiles(built, target)) writeFileSync(`${fresh}/${name}`, code);
writeFileSync(`${fresh}/THIRD-PARTY-NOTICES.txt`, thirdPartyNotices(built.metafile));
writeFileSync(`${fresh}/metafile.json`, JSON.stringify(built.metafile).replaceAll(`"${fresh}/`, '"dist/'));
// A command that starts at the same time finds the old bundle or the new one: main.cjs names the
// other files by their hashes, so it comes last.
mkdirSync('dist', { recursive: true });
const names = readdirSync(fresh);
for (const name of [...names.filter((each) => each !== 'main.cjs'), 'main.cjs']) renameSync(`${fresh}/${name}`, `dist/${name}`);
for (const name of readdirSync('dist')) if (!names.includes(name)) rmSync(`dist/${name}`, { recursive: true });
rmSync(fresh, { recursive: true });
// What the tests keep of older builds (test/code-cache.cjs).
rmSync('node_modules/.cache/apisvc', { recursive: true, force: true });
await import('./json-schema.mjs');
