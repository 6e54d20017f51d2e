// Runs the bundle in dist/. V8 needs a third of the time of a short command to compile it, so the
// compiled code is kept for the next run. The cache of Node (module.enableCompileCache, from 22.1)
// does not help much: Node fills it before any function has run, and V8 compiles a function when it
// is called first.
const { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { basename, dirname, join } = require('node:path');
const { Script } = require('node:vm');
const { crc32 } = require('node:zlib');

const dist = join(__dirname, '..', 'dist');
const modules = new Map();
const scripts = new Map();
let cache;
let isComplete = true;

/** Like `require`, for a file of dist/. */
function load(name) {
  const known = modules.get(name);
  if (known) return known.exports;
  const source = readFileSync(join(dist, name), 'utf8');
  cache ??= openCache(source);
  const cachedData = cache ? readCached(name) : undefined;
  // Offsets in stack traces are those in the file.
  const wrapper = '(function(exports,require,module,__dirname){';
  const script = new Script(`${wrapper}${source}\n})`, { filename: join(dist, name), columnOffset: -wrapper.length, cachedData });
  isComplete &&= cachedData !== undefined && !script.cachedDataRejected;
  scripts.set(name, script);
  const module = { exports: {} };
  modules.set(name, module);
  script.runInThisContext()(module.exports, (id) => (id.startsWith('./') ? load(id.slice(2)) : require(id)), module, dist);
  return module.exports;
}

/**
 * The directory with the code that this command needs, or false. V8 checks its own version, and
 * only the length of the source. So the name has the hash at the start of main.cjs. Compiled code
 * is as good as code, so nobody else may be able to write there.
 */
function openCache(main) {
  if (!process.getuid || process.env.NODE_DISABLE_COMPILE_CACHE || process.env.NODE_V8_COVERAGE) return false;
  const own = join(tmpdir(), `apisvc-${process.getuid()}`);
  const [, hash] = /^\/\/ (\w+)\n/.exec(main) ?? [];
  const [command = 'help'] = /^\w+$/.exec(process.argv[2] ?? '') ?? [];
  const path = join(own, `${hash}-${process.version}-${process.arch}-${command}`);
  try {
    mkdirSync(own, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(own);
    if (uid !== process.getuid() || (mode & 0o170077) !== 0o040000) return false;
  } catch {
    return false;
  }
  process.once('exit', (code) => save(path, code));
  return path;
}

/** The compiled code of a file, without the checksum at its end: V8 crashes on damaged code. */
function readCached(name) {
  try {
    const bytes = readFileSync(join(cache, name));
    const code = bytes.subarray(0, -4);
    return crc32(code) === bytes.readUInt32LE(code.length) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** Files are replaced as a whole, because another command may read them. */
function save(path, exitCode) {
  // Wrong usage: the command may not exist.
  if (isComplete || exitCode === 2) return;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    for (const [name, script] of scripts) {
      const code = script.createCachedData();
      const checksum = Buffer.alloc(4);
      checksum.writeUInt32LE(crc32(code));
      const temporary = join(path, `${name}.${process.pid}`);
      writeFileSync(temporary, Buffer.concat([code, checksum]), { mode: 0o600 });
      renameSync(temporary, join(path, name));
    }
    removeOld(path);
  } catch {
    // The next command compiles again.
  }
}

/** Removes the code of other builds. Those of the last hour may be in use. */
function removeOld(path) {
  const own = dirname(path);
  const [hash] = basename(path).split('-');
  for (const name of readdirSync(own)) {
    const other = join(own, name);
    if (!name.startsWith(hash) && lstatSync(other).mtimeMs < Date.now() - 3_600_000) rmSync(other, { recursive: true, force: true });
  }
}

load('main.cjs');
