import { existsSync, mkdtempSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';

const root = join(import.meta.dirname, '..');

/** A folder that all tiers of a run of scripts/test.mjs share. */
const folderOfRun = process.env.APISVC_RUN;

/**
 * Makes what `npm run release` makes for Linux x64. In a run, usually once.
 * @param own a folder for the release if it is not part of a run
 * @returns the folder of the release
 */
export async function makeRelease(own: string): Promise<string> {
  const shared = folderOfRun && join(folderOfRun, 'release');
  if (shared && existsSync(shared)) return shared;
  const output = mkdtempSync(join(folderOfRun ?? own, 'release-'));
  const args = ['scripts/release.mjs', '--dry-run', '--no-build', '--only', 'linux-x64', '--output', output];
  await execa(process.execPath, args, { cwd: root });
  if (!shared) return output;
  try {
    renameSync(output, shared);
  } catch (error) {
    // Another tier may have made one at the same time.
    if (!existsSync(shared)) throw error;
  }
  return shared;
}
