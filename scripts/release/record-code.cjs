// Loaded before start.cjs while an executable is made: keeps what V8 compiles of each file, in the
// folder APISVC_CODE_CACHE. A later run adds to it.
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const vm = require('node:vm');

/** @type {Map<string, vm.Script>} */
const scripts = new Map();

vm.Script = class extends vm.Script {
  /** @param {string} code @param {vm.ScriptOptions & { filename: string }} options */
  constructor(code, options) {
    const path = join(process.env.APISVC_CODE_CACHE, `${options.filename}.cache`);
    super(code, { ...options, cachedData: existsSync(path) ? readFileSync(path) : undefined });
    scripts.set(path, this);
  }
};

process.on('exit', () => {
  for (const [path, script] of scripts) writeFileSync(path, script.createCachedData());
});
