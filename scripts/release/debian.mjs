import { execFileSync } from 'node:child_process';

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
