import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileError, isFull } from '../config/file-errors.ts';
import { fullDisk } from './shared/file-faults.ts';
import { isOrphan, ownPrefix } from './shared/owner.ts';

const marker = 'sandbox-';

/**
 * Creates the folder of a sandbox, readable only by its owner, and removes the folders of sandboxes
 * that were killed.
 * @returns its path, e.g. /tmp/apisvc-4711-8844-sandbox-x1y2z3
 * @throws UsageError when it cannot be created
 */
export async function makeStateDir(): Promise<string> {
  const root = tmpdir();
  try {
    await removeOrphans(root);
    return await mkdtemp(join(root, `${ownPrefix()}${marker}`));
  } catch (cause) {
    throw isFull(cause)
      ? fullDisk(root, cause)
      : fileError('write', root, cause, 'Set TMPDIR to a directory that the current user can write to.');
  }
}

/** Only folders with the marker: those of tests may have mounts inside. */
async function removeOrphans(root: string): Promise<void> {
  const names = (await readdir(root)).filter((name) => isOrphan(name) && name.includes(`-${marker}`));
  // Folders of other users cannot be removed.
  await Promise.all(names.map((name) => rm(join(root, name), { recursive: true, force: true }).catch(() => {})));
}
