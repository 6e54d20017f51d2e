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
 * A copy of the folder of a containerd that has imported the images. Later runs start with it,
 * because importing takes longer than starting a whole control plane.
 */

/** The path of the store with the images of these programs. It may not exist yet. */
export async function imageStore(programs: Programs): Promise<string> {
  const files = imagesOf(programs).map(async ({ path, image }) => {
    const { size, mtimeMs } = await stat(path);
    return [image, path, size, mtimeMs];
  });
  const inputs = [await Promise.all(files), await output('containerd', '--version')];
  const key = createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16);
  return join(cacheRoot(), `images-${key}`);
}

/**
 * Copies the folder of a stopped containerd to the store. The copy is renamed when it is done, so
 * an existing store is always complete.
 */
export async function fillStore(store: string, root: string): Promise<void> {
  const work = await mkdtemp(join(cacheRoot(), ownPrefix()));
  try {
    await copyRoot(root, join(work, 'root'));
    // Two runs can do this at the same time. The store of the first one is just as good.
    await rename(join(work, 'root'), store).catch((error) => {
      if (!existsSync(store)) throw error;
    });
  } finally {
    await rm(work, { recursive: true });
  }
}

/**
 * The files that containerd writes in place. It only adds and removes all others, so hard links are
 * enough for those.
 */
const databases = ['io.containerd.metadata.v1.bolt/meta.db', 'io.containerd.snapshotter.v1.overlayfs/metadata.db'];

/** Copies the folder of a stopped containerd. `to` must not exist. */
export async function copyRoot(from: string, to: string): Promise<void> {
  const copy = (...more: string[]) => output('cp', '--archive', '--no-target-directory', ...more, from, to);
  // Hard links do not work across file systems.
  await copy('--link').catch(() => copy());
  for (const file of databases) await output('cp', '--archive', '--remove-destination', join(from, file), join(to, file));
}
