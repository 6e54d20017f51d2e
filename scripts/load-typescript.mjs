import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Imports one TypeScript module of ours, with everything it imports: Node 20 can't by itself.
 * @param {string} path from the project's root
 * @returns {Promise<any>} the module
 */
export async function loadTypescript(path) {
  const entry = fileURLToPath(new URL(`../${path}`, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
    loader: { '.yaml': 'text' },
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}
