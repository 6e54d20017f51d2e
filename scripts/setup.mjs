import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What every script needs before it starts on a fresh clone. */

export const root = join(import.meta.dirname, '..');
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** @param {string} title */
export const heading = (title) => console.log(`\n=== ${title}`);

/** Runs a command with its output shown. @param {string} command @param {string[]} args @returns {boolean} whether it succeeded */
export const run = (command, ...args) => runWith({}, command, ...args);

/** As `run`, with variables added to the environment. @param {Record<string, string>} env @param {string} command @param {string[]} args */
export function runWith(env, command, ...args) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status === 0;
}

/** Installs the dependencies when they are not those of package-lock.json. */
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
