import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, statSync } from 'node:fs';
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
 * Installs the dependencies if package-lock.json is newer than the installed ones. Refuses a
 * node_modules that is a symbolic link: `npm ci` would empty the directory that it points to.
 * @returns whether it succeeded
 */
export function install() {
  const modules = join(root, 'node_modules');
  const installed = join(modules, '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs) return true;
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    console.error(
      'error: node_modules is a symbolic link, and it is older than package-lock.json\nfix: Run npm ci in the directory that it belongs to, or remove the link.',
    );
    return false;
  }
  heading('npm ci');
  return run(npm, 'ci');
}

export function build() {
  heading('build');
  return run(npm, 'run', '--silent', 'build');
}
