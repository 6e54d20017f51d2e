import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot } from '../../../../scripts/components.mjs';
import { output } from '../../../../src/sandbox/shared/command.ts';
import { ownPrefix } from '../../../../src/sandbox/shared/owner.ts';
import type { Programs } from '../programs.ts';
import { imagesOf } from './images.ts';

/**
 * What a containerd that has imported the images keeps in its folder, for the next ones to begin with: to import them takes it longer
 * than a whole control plane takes to start.
 */

/** Where the store with the images of these programs is, or will be. */
export async function imageStore(programs: Programs): Promise<string> {
  const files = imagesOf(programs).map(async ({ path, image }) => {
    const { size, mtimeMs } = await stat(path);
    return [image, path, size, mtimeMs];
  });
  const inputs = [await Promise.all(files), await output('containerd', '--version')];
  const key = createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16);
  return join(cacheRoot(), `images-${key}`);
}

/** Puts the folder of a containerd that has ended into the store, beside its place first: one that is there is complete. */
export async function fillStore(store: string, root: string): Promise<void> {
  const work = await mkdtemp(join(cacheRoot(), ownPrefix()));
  try {
    await copyRoot(root, join(work, 'root'));
    // Two runs may do this at a time; the first one's is as good.
    await rename(join(work, 'root'), store).catch((error) => {
      if (!existsSync(store)) throw error;
    });
  } finally {
    await rm(work, { recursive: true });
  }
}

/** What containerd writes to in place. All else it only adds and removes, so that hard links serve. */
const databases = ['io.containerd.metadata.v1.bolt/meta.db', 'io.containerd.snapshotter.v1.overlayfs/metadata.db'];

/** Copies the folder of a containerd that does not run. `to` must not exist. */
export async function copyRoot(from: string, to: string): Promise<void> {
  const copy = (...more: string[]) => output('cp', '--archive', '--no-target-directory', ...more, from, to);
  // Links don't reach another file system.
  await copy('--link').catch(() => copy());
  for (const file of databases) await output('cp', '--archive', '--remove-destination', join(from, file), join(to, file));
}
