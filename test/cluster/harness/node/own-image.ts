import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRelease } from '../../../release.ts';
import { emptyFolder } from '../projects.ts';
import { cluster } from '../provided.ts';
import { importImages } from './runtime.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The name of the image in the pages. */
const repository = 'registry.example.com/apisvc';
/** The name of the image of apisvc on the node, after `importOwnImage`. */
export const ownImage = `${repository}:${version}`;

/** Makes the container image of a release, and imports it into the node. */
export async function importOwnImage(): Promise<void> {
  const release = await makeRelease(emptyFolder());
  await importImages(cluster.stateDir, join(release, `apisvc-${version}-image.tar`), repository);
}
