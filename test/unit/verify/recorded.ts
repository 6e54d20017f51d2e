import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiSnapshot, PodView, Snapshot } from '../../../src/verify/types.ts';

/** Snapshots that were taken of a real cluster. @param name of a file in test/fixtures/snapshots, without its ending */
export const recorded = (name: string): Snapshot =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'snapshots', `${name}.json`), 'utf8'));

/** The pods of a recorded snapshot. */
export function recordedPods(name: string): readonly PodView[] {
  const { pods } = recorded(name).apis[0] as ApiSnapshot;
  if (pods.state !== 'seen') throw new Error(`${name} has no pods`);
  return pods.value;
}
