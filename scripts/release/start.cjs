// The main script of the executables. The files of dist/ are assets, and are loaded from memory
// when they are needed. An asset NAME.cache has what V8 compiled of a file.
const { basename } = require('node:path');
const { getAsset, getAssetKeys, getRawAsset } = require('node:sea');
const { Script } = require('node:vm');

const assets = new Set(getAssetKeys());
/** @type {Record<string, { exports: unknown }>} */
const loaded = {};

/** @param {string} name a file of dist/ */
function load(name) {
  if (loaded[name]) return loaded[name].exports;
  const module = { exports: {} };
  loaded[name] = module;
  const cache = `${name}.cache`;
  // V8 compiles the file itself if the cache is not of its own version and flags.
  const cachedData = assets.has(cache) ? new Uint8Array(getRawAsset(cache)) : undefined;
  const run = new Script(getAsset(name, 'utf8'), { filename: name, cachedData }).runInThisContext();
  run(module.exports, (/** @type {string} */ id) => (id.startsWith('./') ? load(id.slice(2)) : require(id)), module);
  return module.exports;
}

// As bin/kubectl_complete-apisvc.js of the npm package. kubectl runs links by their path.
if (basename(process.argv[1], '.exe') === 'kubectl_complete-apisvc') process.argv.splice(2, 0, '__complete', '--');
load('main.cjs');
