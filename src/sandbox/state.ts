import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileError } from '../project/files.ts';
import { isOrphan, ownPrefix } from './shared/owner.ts';

const ours = 'sandbox-';

/**
 * Makes the folder that a sandbox keeps everything in, readable for its owner alone, after removing those of sandboxes that were killed.
 * @returns its path, e.g. /tmp/apisvc-4711-8844-sandbox-x1y2z3
 * @throws UsageError when there can't be one
 */
export async function makeStateDir(): Promise<string> {
  const root = tmpdir();
  try {
    await removeOrphans(root);
    return await mkdtemp(join(root, `${ownPrefix()}${ours}`));
  } catch (cause) {
    throw fileError('write', root, cause);
  }
}

/** What a test leaves may hold mounts; it is not ours to remove. */
async function removeOrphans(root: string): Promise<void> {
  const names = (await readdir(root)).filter((name) => isOrphan(name) && name.includes(`-${ours}`));
  // Somebody else's, in a folder that all share, can't be removed, and need not be.
  await Promise.all(names.map((name) => rm(join(root, name), { recursive: true, force: true }).catch(() => {})));
}
