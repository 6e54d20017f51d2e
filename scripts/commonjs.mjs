// Turns the ES modules that esbuild splits into CommonJS files. Node loads them in half the time.
import { basename } from 'node:path';
import { transform } from 'esbuild';

/** Shared chunks below this size go into one file: to open a file takes longer than to read it. */
const smallBytes = 12_000;

/**
 * @typedef {{ name: string, code: string }} Chunk
 * @param {import('esbuild').BuildResult<{ metafile: true, write: false }>} built main.cjs, and what
 * it imports on demand
 * @param {string} target
 * @returns {Promise<Map<string, string>>} the text of each file, by name
 */
export async function commonJsFiles({ metafile, outputFiles }, target) {
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
  const start = loadedWith('main.cjs', outputs);
  const fileOf = (/** @type {string} */ name) => {
    if (start.has(name)) return 'main.cjs';
    const { entryPoint, bytes = 0 } = outputs.get(name) ?? {};
    return entryPoint === undefined && bytes < smallBytes ? 'shared.cjs' : name;
  };
  const files = new Map(/** @type {[string, Chunk[]][]} */ ([]));
  for (const { path, text } of outputFiles) {
    const name = basename(path);
    const { code } = await transform(text, { format: 'cjs', target, minify: true, supported: { 'dynamic-import': false } });
    const linked = code.replaceAll(/\brequire\("\.\/([\w-]+\.cjs)"\)/g, (call, /** @type {string} */ other) => {
      const file = fileOf(other);
      return isJoined(file) ? `require("./${file}")("${other}")` : call;
    });
    files.set(fileOf(name), [...(files.get(fileOf(name)) ?? []), { name, code: linked }]);
  }
  return new Map(
    [...files].map(([name, chunks]) => [name, isJoined(name) ? joined(name, chunks) : chunks.map(({ code }) => code).join('')]),
  );
}

const isJoined = (/** @type {string} */ file) => file === 'main.cjs' || file === 'shared.cjs';

/**
 * @param {string} name
 * @param {Map<string, import('esbuild').Metafile['outputs'][string]>} outputs
 * @returns {Set<string>} the chunk and all that it imports statically
 */
function loadedWith(name, outputs) {
  const found = new Set([name]);
  // The loop also visits what is added meanwhile.
  for (const each of found) {
    const imports = outputs.get(each)?.imports.filter(({ kind, external }) => kind === 'import-statement' && !external) ?? [];
    for (const { path } of imports) found.add(basename(path));
  }
  return found;
}

/**
 * A file with several chunks, which exports a function that loads one. A chunk runs when it is
 * first loaded, as in a file of its own.
 * @param {string} name
 * @param {Chunk[]} chunks
 */
const joined = (
  name,
  chunks,
) => `"use strict";const loaded={},chunks={${chunks.map((chunk) => `"${chunk.name}"(module,exports){${chunk.code}}`).join(',')}};
module.exports=(name)=>{if(!loaded[name])chunks[name](loaded[name]={exports:{}},loaded[name].exports);return loaded[name].exports};
${chunks.some((chunk) => chunk.name === name) ? `module.exports("${name}");` : ''}`;
