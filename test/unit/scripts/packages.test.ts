import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cniFolder, missingPackages } from '../../../scripts/packages.mjs';
import { folder } from '../project/folder.ts';

/** A folder for PATH with these programs. */
function pathWith(...programs: string[]): string {
  const bin = join(folder(), 'bin');
  mkdirSync(bin);
  for (const program of programs) writeFileSync(join(bin, program), '', { mode: 0o755 });
  return bin;
}

const ofNode = ['containerd', 'ctr', 'runc', 'iptables', 'unshare', 'setpriv'];
/** What a node needs besides programs of PATH may be missing on the machine of this test. */
const plugin = join(cniFolder, 'bridge');

test.each(ofNode)('a node tier does not run without %s', (program) => {
  const { programs } = missingPackages(['cluster', 'node'], pathWith('ip', 'nsenter', ...ofNode.filter((each) => each !== program)));
  expect(programs.filter((each) => each !== plugin)).toEqual([program]);
});

test('packages are named once, whatever is missing of them', () => {
  const { programs, packages } = missingPackages(['cluster', 'node'], pathWith('runc'));
  expect(programs).toEqual(expect.arrayContaining(['nsenter', 'unshare', 'setpriv', 'containerd', 'ctr']));
  expect(packages.filter((name) => name === 'util-linux' || name === 'containerd')).toEqual(['util-linux', 'containerd']);
});

test('a file that can not be run is no program', () => {
  const path = pathWith('ip');
  writeFileSync(join(path, 'nsenter'), '', { mode: 0o644 });
  expect(missingPackages(['cluster'], path)).toEqual({ programs: ['nsenter'], packages: ['util-linux'] });
});

test('continuous integration has no list of its own', () => {
  expect(readFileSync(join(import.meta.dirname, '..', '..', '..', '.ci', 'run'), 'utf8')).not.toMatch(/util-linux|iproute2/);
});
