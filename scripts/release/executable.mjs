import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../setup.mjs';
import { loadCommandsOf, segmentName, signed } from './mac-signature.mjs';
import { nodeBinary } from './node-binary.mjs';
import { builders } from './targets.mjs';

/**
 * Makes the executable of a platform: Node.js with the files of dist/ in it (nodejs.org, single
 * executable applications). The same files give the same executable.
 * @param {import('./targets.mjs').Target} target
 * @param {string} output its path
 * @returns {boolean} whether it also has compiled code: only if this machine runs its Node.js
 */
export function buildExecutable(target, output) {
  const assets = mkdtempSync(join(tmpdir(), 'apisvc-executable-'));
  try {
    writeAssets(assets);
    const runner = runnerOf(target);
    if (runner !== undefined) compile([...runner, nodeBinary(target)], assets);
    inject(target, assets, output);
    if (target.os === 'darwin') writeFileSync(output, signed(readFileSync(output), 'apisvc'));
    if (target.os === 'windows') writeFileSync(output, withoutSignature(readFileSync(output)));
    checkStructure(target, output);
    return runner !== undefined;
  } finally {
    rmSync(assets, { recursive: true, force: true });
  }
}

/**
 * The files of dist/, each as a function that start.cjs calls, and the schema.
 * @param {string} folder
 */
function writeAssets(folder) {
  const dist = join(root, 'dist');
  for (const name of readdirSync(dist).filter((each) => each.endsWith('.cjs'))) {
    const code = readFileSync(join(dist, name), 'utf8');
    writeFileSync(join(folder, name), `(function (exports, require, module) {${code}\n})`);
  }
  copyFileSync(join(root, 'schema', 'registration.schema.json'), join(folder, 'registration.schema.json'));
}

/**
 * Adds compiled code to the assets. V8 takes a random seed for the hashes of strings, and compiles
 * differently with each, unless it is given one.
 * @param {string[]} node
 * @param {string} assets
 */
function compile([file = '', ...before], assets) {
  execFileSync(file, [...before, '--hash-seed=1', join(import.meta.dirname, 'compile.cjs'), assets]);
}

/**
 * @param {import('./targets.mjs').Target} target
 * @param {string} folder with the assets
 * @param {string} output
 */
function inject(target, folder, output) {
  const names = readdirSync(folder).sort();
  const assets = Object.fromEntries(names.map((name) => [name, join(folder, name)]));
  const config = join(folder, 'sea.json');
  const executable = nodeBinary(target);
  // The executable contains the path of its main script as it is given here.
  const main = 'start.cjs';
  writeFileSync(config, JSON.stringify({ main, executable, output, disableExperimentalSEAWarning: true, assets }));
  rmSync(output, { force: true });
  const builder = nodeBinary(builders[target.version]);
  execFileSync(builder, ['--build-sea', config], { cwd: import.meta.dirname, stdio: ['ignore', 'ignore', 'inherit'] });
}

/**
 * Removes the entry of the signature of Node.js, which is invalid now (Microsoft, PE format:
 * certificate table, the fifth data directory of the optional header for 64 bits).
 * @param {Buffer} program
 */
function withoutSignature(program) {
  const optionalHeader = program.readUInt32LE(0x3c) + 24;
  return program.fill(0, optionalHeader + 112 + 4 * 8, optionalHeader + 112 + 5 * 8);
}

/** @type {Readonly<Record<string, string>>} the first bytes of a program, by system */
const magic = { linux: '7f454c46', darwin: 'cffaedfe', windows: '4d5a' };

/**
 * Looks at a program, which this machine possibly can't run.
 * @param {import('./targets.mjs').Target} target
 * @param {string} output
 * @throws {Error} if it is not a program of the platform, or has no application in it
 */
function checkStructure({ name, os }, output) {
  const program = readFileSync(output);
  const isOfSystem = program.toString('hex', 0, 4).startsWith(magic[os]);
  // Node.js looks for the application if this is 1 (nodejs.org, single executable applications).
  const hasApplication = program.includes('NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:1');
  const isWhole = os !== 'darwin' || loadCommandsOf(program).some((command) => segmentName(program, command) === 'NODE_SEA');
  if (!isOfSystem || !hasApplication || !isWhole) throw new Error(`the executable for ${name} is broken`);
}

/** The libraries for arm64 of Debian's cross compilers. */
const arm64Libraries = '/usr/aarch64-linux-gnu';

/**
 * How this machine runs programs of a platform.
 * @param {import('./targets.mjs').Target} target
 * @returns {string[] | undefined} what goes before the program; undefined if it can't run them
 */
export function runnerOf({ name }) {
  if (name === `${process.platform}-${process.arch}`) return [];
  const emulates = name === 'linux-arm64' && existsSync(arm64Libraries) && spawnSync('qemu-aarch64-static', ['--version']).status === 0;
  return emulates ? ['qemu-aarch64-static', '-L', arm64Libraries] : undefined;
}
