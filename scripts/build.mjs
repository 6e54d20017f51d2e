// Bundles src/cli/main.ts into dist/, with code splitting: a command that needs no cluster never loads @kubernetes/client-node.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { thirdPartyNotices } from './third-party-notices.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

rmSync('dist', { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { main: 'src/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  minify: true,
  keepNames: true,
  sourcemap: false,
  metafile: true,
  logLevel: 'warning',
  define: { APISVC_VERSION: JSON.stringify(version) },
  loader: { '.yaml': 'text' },
  // CommonJS packages in an ES module bundle still call require for Node's own modules.
  banner: {
    js: "import { createRequire as apisvcCreateRequire } from 'node:module'; const require = apisvcCreateRequire(import.meta.url);",
  },
});
writeFileSync('dist/THIRD-PARTY-NOTICES.txt', thirdPartyNotices(metafile));
writeFileSync('dist/metafile.json', JSON.stringify(metafile));
await import('./json-schema.mjs');
