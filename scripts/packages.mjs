import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The folder where Debian installs CNI plugins. */
export const cniFolder = '/usr/lib/cni';

/** The folder with Debian's libraries for x64, on which the executable of a release runs. */
const libraries = '/usr/lib/x86_64-linux-gnu';

/**
 * Debian packages by program, for each kind of tests. This is the only list of them. A program is
 * searched in PATH. An absolute path is a file that only has to exist.
 * @type {Readonly<Record<import('./packages.d.mts').Use, Readonly<Record<string, string>>>>}
 */
const packages = {
  unit: { openssl: 'openssl', tmux: 'tmux' },
  cluster: { ip: 'iproute2', nsenter: 'util-linux' },
  distribution: {
    curl: 'curl',
    [join(libraries, 'libatomic.so.1')]: 'libatomic1',
    [join(libraries, 'libstdc++.so.6')]: 'libstdc++6',
  },
  node: {
    containerd: 'containerd',
    ctr: 'containerd',
    runc: 'runc',
    iptables: 'iptables',
    unshare: 'util-linux',
    setpriv: 'util-linux',
    [join(cniFolder, 'bridge')]: 'containernetworking-plugins',
  },
};

/** All kinds of tests. */
export const uses = /** @type {import('./packages.d.mts').Use[]} */ (Object.keys(packages));

/**
 * Finds the programs that these tests need and that are not installed.
 * @param {readonly import('./packages.d.mts').Use[]} wanted
 * @param {string} path overrides PATH
 * @returns {import('./packages.d.mts').Missing}
 */
export function missingPackages(wanted, path = process.env.PATH ?? '') {
  const absent = wanted.flatMap((use) => Object.entries(packages[use])).filter(([program]) => !isInstalled(program, path));
  return { programs: absent.map(([program]) => program), packages: [...new Set(absent.map(([, name]) => name))] };
}

/** @param {string} program @param {string} path */
function isInstalled(program, path) {
  if (program.startsWith('/')) return existsSync(program);
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
