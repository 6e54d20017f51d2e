import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** @param {string[]} args */
const dpkgQuery = (...args) => execFileSync('dpkg-query', args, { encoding: 'utf8' });

/**
 * The Debian package with a file.
 * @param {string} file without links in its path
 * @returns {{ name: string, version: string, architecture: string, status: string }} `status`: its
 * entry in the list of installed packages
 * @throws {Error} if no package has it
 */
export function debianPackageOf(file) {
  // A package that is older than the merge of /lib and /usr/lib has the file below /lib.
  const [line = ''] = dpkgQuery('--search', `*${file.replace(/^\/usr/, '')}`).split('\n');
  const [name = ''] = line.split(/[:,]/);
  const qualified = line.slice(0, line.indexOf(': '));
  const status = dpkgQuery('--status', qualified);
  /** @param {string} key */
  const field = (key) => new RegExp(`^${key}: (.+)$`, 'm').exec(status)?.[1] ?? '';
  return { name, version: field('Version'), architecture: field('Architecture'), status };
}

/** Describes the distribution, Debian or one that derives from it (os-release(5)). */
export const osRelease = () => readFileSync('/etc/os-release', 'utf8');

/** The distribution as package URLs name it, such as `debian` and `12`. */
export function distribution() {
  /** @param {string} key */
  const field = (key) => new RegExp(`^${key}="?([^"\n]+)`, 'm').exec(osRelease())?.[1] ?? '';
  return { id: field('ID'), release: field('VERSION_ID') };
}
