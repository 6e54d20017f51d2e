import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../setup.mjs';
import { loadCommandsOf, segmentName, signed } from './mac-signature.mjs';
import { nodeBinary } from './node-binary.mjs';
import { builders } from './targets.mjs';

/**
 * Makes the executable of a platform: Node.js with the files of dist/ in it (nodejs.org, single
 * executable applications).
 * @param {import('./targets.mjs').Target} target
 * @param {string} output its path
 * @returns {boolean} whether it also has compiled code: only if it runs on this machine
 */
export function buildExecutable(target, output) {
  const work = mkdtempSync(join(tmpdir(), 'apisvc-executable-'));
  try {
    const codeCache = join(work, 'code');
    mkdirSync(codeCache);
    inject(target, work, codeCache, output);
    if (target.os === 'darwin') writeFileSync(output, signed(readFileSync(output), 'apisvc'));
    if (target.os === 'windows') writeFileSync(output, withoutSignature(readFileSync(output)));
    checkStructure(target, output);
    const runner = runnerOf(target);
    if (runner === undefined) return false;
    compile([...runner, output], work, codeCache);
    inject(target, work, codeCache, output);
    return true;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * @param {import('./targets.mjs').Target} target
 * @param {string} work
 * @param {string} codeCache
 * @param {string} output
 */
function inject(target, work, codeCache, output) {
  const dist = join(root, 'dist');
  const files = readdirSync(dist).filter((name) => name.endsWith('.cjs'));
  const assets = Object.fromEntries([
    ...files.map((name) => [name, join(dist, name)]),
    ...readdirSync(codeCache).map((name) => [name, join(codeCache, name)]),
    ['registration.schema.json', join(root, 'schema', 'registration.schema.json')],
  ]);
  const config = join(work, 'sea.json');
  const main = join(import.meta.dirname, 'start.cjs');
  const executable = nodeBinary(target);
  writeFileSync(config, JSON.stringify({ main, executable, output, disableExperimentalSEAWarning: true, assets }));
  rmSync(output, { force: true });
  execFileSync(nodeBinary(builders[target.version]), ['--build-sea', config], { stdio: ['ignore', 'ignore', 'inherit'] });
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

const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: "https://127.0.0.1:1" } }]
users: [{ name: u, user: { token: none } }]
contexts: [{ name: c, context: { cluster: c, user: u } }]
current-context: c
`;

/** Commands that together load most of the files, with their exit codes. */
const commands = /** @type {const} */ ([
  [['--help'], 0],
  [['explain'], 0],
  [['init', 'demo', '--preset', 'demo', '--yes'], 0],
  [['render', '-C', 'demo'], 0],
  [['lint', '-C', 'demo'], 0],
  [['verify', 'v1.example.com'], 3],
  [['sandbox', '--engine', 'simulated', '--once'], 0],
]);

/**
 * Runs the commands, and keeps what V8 compiles meanwhile.
 * @param {string[]} program
 * @param {string} work
 * @param {string} codeCache the folder for it
 */
function compile(program, work, codeCache) {
  writeFileSync(join(work, 'kubeconfig'), kubeconfig);
  const env = {
    PATH: process.env.PATH,
    HOME: work,
    TMPDIR: work,
    KUBECONFIG: join(work, 'kubeconfig'),
    NODE_OPTIONS: `--require ${join(import.meta.dirname, 'record-code.cjs')}`,
    APISVC_CODE_CACHE: codeCache,
  };
  for (const [args, exitCode] of commands) {
    const [file, ...before] = program;
    const { status, stderr } = spawnSync(file, [...before, ...args], { cwd: work, env, encoding: 'utf8' });
    if (status !== exitCode) throw new Error(`${args.join(' ')} ended with exit code ${status}: ${stderr}`);
  }
}
