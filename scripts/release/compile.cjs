// node --hash-seed=1 compile.cjs FOLDER: writes what V8 compiles of each script of the folder, as
// NAME.cache for start.cjs. It compiles every function: V8 itself compiles those that are called,
// which differ from run to run.
const { readdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { setFlagsFromString } = require('node:v8');
const { Script } = require('node:vm');

const [folder = ''] = process.argv.slice(2);
for (const name of readdirSync(folder).filter((each) => each.endsWith('.cjs'))) {
  for (const flag of ['--no-lazy', '--no-flush-bytecode']) setFlagsFromString(flag);
  const script = new Script(readFileSync(join(folder, name), 'utf8'), { filename: name });
  // The cache notes the flags, and V8 refuses it if its own are others.
  for (const flag of ['--lazy', '--flush-bytecode', '--hash-seed=0']) setFlagsFromString(flag);
  writeFileSync(join(folder, `${name}.cache`), script.createCachedData());
}
