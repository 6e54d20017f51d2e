import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../../../src/errors.ts';
import { isInstalled } from '../../../../src/sandbox/real/command.ts';

/** Where Debian installs the plugins that connect pods to a network. */
export const cniFolder = '/usr/lib/cni';

/** Debian packages by what a node runs of them. */
const packages = {
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  unshare: 'util-linux',
  setpriv: 'util-linux',
};

/** @throws UsageError that names what is not installed and the packages to install */
export function requireNodePackages(): void {
  const missing = Object.entries(packages).filter(([program]) => !isInstalled(program));
  if (!existsSync(join(cniFolder, 'bridge'))) missing.push([join(cniFolder, 'bridge'), 'containernetworking-plugins']);
  if (missing.length === 0) return;
  throw new UsageError(`a node can't run here: ${missing.map(([program]) => program).join(', ')} not found`, {
    fix: `apt-get install ${[...new Set(missing.map(([, name]) => name))].join(' ')}`,
  });
}
