import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { emptyFolder } from '../projects.ts';
import { cluster } from '../provided.ts';
import { importImages } from './runtime.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The name of the image of apisvc on the node, after `importOwnImage`. */
export const ownImage = `docker.io/library/apisvc:${version}`;

/** Makes the container image of a release, and imports it into the node. */
export async function importOwnImage(): Promise<void> {
  const output = join(emptyFolder(), 'release');
  const release = ['scripts/release.mjs', '--dry-run', '--no-build', '--only', 'linux-x64', '--output', output];
  await execa(process.execPath, release, { cwd: root });
  await importImages(cluster.stateDir, join(output, `apisvc-${version}-image.tar`), 'docker.io/library/apisvc');
}
