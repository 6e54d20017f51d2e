import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder with what `npm run release` makes for this platform. */
    release: string;
    /** The executable, from its archive. */
    executable: string;
  }
}

const root = join(import.meta.dirname, '..', '..');

/** Makes a release for this platform. @returns a function that removes it */
export default function makeRelease(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'apisvc-release-'));
  const release = join(folder, 'release');
  const args = ['scripts/release.mjs', '--dry-run', '--no-build', '--only', 'linux-x64', '--output', release];
  execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync('sh', ['-c', `tar -xzf ${release}/apisvc-*-linux-x64.tar.gz -C ${folder}`]);
  project.provide('release', release);
  project.provide('executable', join(folder, 'apisvc'));
  return () => rmSync(folder, { recursive: true, force: true });
}
