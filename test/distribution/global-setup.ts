import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { makeRelease } from '../release.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder with what `npm run release` makes for this platform. */
    release: string;
    /** The executable, from its archive. */
    executable: string;
  }
}

/** Makes a release for this platform. @returns a function that removes it */
export default async function provideRelease(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'apisvc-release-'));
  const release = await makeRelease(folder);
  execFileSync('sh', ['-c', `tar -xzf ${release}/apisvc-*-linux-x64.tar.gz -C ${folder}`]);
  project.provide('release', release);
  project.provide('executable', join(folder, 'apisvc'));
  return () => rmSync(folder, { recursive: true, force: true });
}
