import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cniFolder, missingPackages } from '../../../scripts/packages.mjs';
import { folder } from '../project/folder.ts';

/** Creates a folder with these programs, for PATH. */
function pathWith(...programs: string[]): string {
  const bin = join(folder(), 'bin');
  mkdirSync(bin);
  for (const program of programs) writeFileSync(join(bin, program), '', { mode: 0o755 });
  return bin;
}

const ofNode = ['containerd', 'ctr', 'runc', 'iptables', 'unshare', 'setpriv'];
/** Not looked up in PATH, so it depends on the machine whether it is missing. */
const plugin = join(cniFolder, 'bridge');

test.each(ofNode)('the node tiers need %s', (program) => {
  const { programs } = missingPackages(['cluster', 'node'], pathWith('ip', 'nsenter', ...ofNode.filter((each) => each !== program)));
  expect(programs.filter((each) => each !== plugin)).toEqual([program]);
});

test('a package is listed once, even if several of its programs are missing', () => {
  const { programs, packages } = missingPackages(['cluster', 'node'], pathWith('runc'));
  expect(programs).toEqual(expect.arrayContaining(['nsenter', 'unshare', 'setpriv', 'containerd', 'ctr']));
  expect(packages.filter((name) => name === 'util-linux' || name === 'containerd')).toEqual(['util-linux', 'containerd']);
});

test('the distribution tier needs curl, and the libraries of the executable', () => {
  const { programs } = missingPackages(['distribution'], pathWith());
  expect(programs.filter((each) => !each.startsWith('/'))).toEqual(['curl']);
  expect(missingPackages(['distribution'], pathWith('curl')).programs).not.toContain('curl');
});

test('a file that is not executable is not a program', () => {
  const path = pathWith('ip');
  writeFileSync(join(path, 'nsenter'), '', { mode: 0o644 });
  expect(missingPackages(['cluster'], path)).toEqual({ programs: ['nsenter'], packages: ['util-linux'] });
});

test('continuous integration does not repeat the list of packages', () => {
  expect(readFileSync(join(import.meta.dirname, '..', '..', '..', '.ci', 'run'), 'utf8')).not.toMatch(/util-linux|iproute2/);
});
