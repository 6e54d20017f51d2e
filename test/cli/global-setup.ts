import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder for the projects that the specs of a worker copy. */
    samples: string;
  }
}

/** @returns a function that removes the folder */
export default function makeSamplesFolder(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'apisvc-samples-'));
  project.provide('samples', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
