import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The steps that every script runs first on a fresh clone. */

export const root = join(import.meta.dirname, '..');
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** @param {string} title */
export const heading = (title) => console.log(`\n=== ${title}`);

/**
 * Runs a command and shows its output.
 * @param {string} command
 * @param {string[]} args
 * @returns {boolean} whether it succeeded
 */
export const run = (command, ...args) => runWith({}, command, ...args);

/**
 * Like `run`, with additional environment variables.
 * @param {Record<string, string>} env
 * @param {string} command
 * @param {string[]} args
 */
export function runWith(env, command, ...args) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status === 0;
}

/**
 * Installs the dependencies if package-lock.json is newer than the installed ones.
 * @returns whether it succeeded
 */
export function install() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs) return true;
  heading('npm ci');
  return run(npm, 'ci');
}

export function build() {
  heading('build');
  return run(npm, 'run', '--silent', 'build');
}
