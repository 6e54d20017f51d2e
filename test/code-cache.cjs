// Keeps what V8 compiles of dist/ for the next start, as bin/apisvc.js asks Node.js 22 and newer to
// do. With it, Node.js 20 needs a sixth less processor time for a command.
const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join } = require('node:path');
const { setFlagsFromString } = require('node:v8');
const { Script } = require('node:vm');

// Most commands end before optimized code pays off. Without it, the commands of the sandbox tier
// need a tenth less processor time.
setFlagsFromString('--no-opt');

const root = dirname(__dirname);
const folder = join(root, 'node_modules', '.cache', 'apisvc');
const compile = Module.prototype._compile;
/** What to keep, by path. */
const compiled = new Map();
process.once('exit', () => compiled.forEach(write));

Module.prototype._compile = function (code, filename) {
  if (dirname(filename) !== join(root, 'dist')) return compile.call(this, code, filename);
  // V8 itself compares only the length.
  const cache = join(folder, createHash('sha256').update(code).digest('hex'));
  const cachedData = read(cache);
  const script = new Script(Module.wrap(code), { filename, cachedData });
  if (!cachedData || script.cachedDataRejected) compiled.set(cache, script);
  const require = (id) => this.require(id);
  return script.runInThisContext().call(this.exports, this.exports, require, this, filename, dirname(filename));
};

function read(cache) {
  try {
    return readFileSync(cache);
  } catch {
    return undefined;
  }
}

/** Others may write it at the same time, and a test may run apisvc as a user who may not. */
function write(script, cache) {
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${cache}.${process.pid}`, script.createCachedData());
    renameSync(`${cache}.${process.pid}`, cache);
  } catch {}
}
