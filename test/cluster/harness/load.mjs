import { createViteServer } from 'vitest/node';

/**
 * Imports a module of the harness outside of a test run. The importing process must call
 * process.exit.
 * @param {string} path relative to this folder
 * @returns {Promise<any>} the module
 */
export async function loadModule(path) {
  const server = { middlewareMode: true, watch: null, ws: false };
  const { ssrLoadModule } = await createViteServer({ configFile: false, logLevel: 'error', root: import.meta.dirname, server });
  return ssrLoadModule(`/${path}`);
}
