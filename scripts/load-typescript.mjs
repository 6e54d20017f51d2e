import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Imports a TypeScript module of this repository, which Node 20 can't do by itself.
 * @param {string} path relative to the root of the repository
 * @returns {Promise<any>} the module
 */
export async function loadTypescript(path) {
  const entry = fileURLToPath(new URL(`../${path}`, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    // CommonJS packages in the bundle call require, but only for modules of Node itself.
    banner: { js: 'const require = process.getBuiltinModule;' },
    format: 'esm',
    platform: 'node',
    write: false,
    loader: { '.yaml': 'text' },
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}
