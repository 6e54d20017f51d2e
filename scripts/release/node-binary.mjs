import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheRoot } from '../components.mjs';

/**
 * The Node.js binary of an npm package. It is downloaded once for all checkouts of the machine, and
 * its checksum is verified at every use.
 * @param {Pick<import('./targets.mjs').Target, 'package' | 'version' | 'sha256'>} wanted
 * @param {number} timeout of the download, in milliseconds
 * @returns {string} its path
 * @throws {Error} if the download fails, or the binary has another checksum
 */
export function nodeBinary({ package: name, version, sha256 }, timeout = 300_000) {
  const folder = join(cacheRoot(), `${name}-${version}`);
  const program = join(folder, name.includes('-win-') ? 'node.exe' : 'node');
  if (!existsSync(program)) download(`${name}@${version}`, folder, sha256, timeout);
  const found = sha256Of(program);
  if (found !== sha256) throw new Error(`${program} has SHA-256 ${found}, not ${sha256}: remove ${folder}`);
  return program;
}

/** The licence of Node.js and its parts. @param {string} program from `nodeBinary`, for Linux */
export const licenceOf = (program) => readFileSync(join(dirname(program), 'LICENSE'), 'utf8');

/** @param {string} file */
export const sha256Of = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/**
 * The folder gets its name when it is complete, so an interrupted download is never used.
 * @param {string} spec
 * @param {string} folder
 * @param {string} sha256
 * @param {number} timeout
 */
function download(spec, folder, sha256, timeout) {
  mkdirSync(dirname(folder), { recursive: true });
  const work = mkdtempSync(join(dirname(folder), '.node-'));
  try {
    console.error(`downloading ${spec}`);
    execFileSync('tar', ['-xzf', join(work, pack(spec, work, timeout)), '-C', work]);
    const fresh = join(work, 'package', 'bin');
    const [name = ''] = readdirSync(fresh);
    const found = sha256Of(join(fresh, name));
    if (found !== sha256) throw new Error(`${name} of ${spec} has SHA-256 ${found}, not ${sha256}`);
    if (!name.endsWith('.exe')) renameSync(join(work, 'package', 'LICENSE'), join(fresh, 'LICENSE'));
    // Another process may have been faster.
    if (!existsSync(folder)) renameSync(fresh, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Downloads an npm package.
 * @param {string} spec
 * @param {string} work
 * @param {number} timeout
 * @returns {string} the name of its archive in `work`
 */
function pack(spec, work, timeout) {
  // A cache of its own: npm would keep another 50 MB.
  const flags = ['--loglevel', 'error', '--ignore-scripts', '--pack-destination', work, '--cache', join(work, 'npm')];
  const limits = ['--fetch-retries', '5', '--fetch-timeout', '60000'];
  const { status, error, stdout, stderr } = spawnSync('npm', ['pack', spec, ...flags, ...limits], { cwd: work, encoding: 'utf8', timeout });
  if (status === 0) return stdout.trim();
  const isTimeout = error !== undefined && 'code' in error && error.code === 'ETIMEDOUT';
  const why = isTimeout ? `timed out after ${timeout / 1000} seconds` : (error?.message ?? stderr.trim());
  throw new Error(`download of ${spec} from the npm registry failed: ${why}`);
}
