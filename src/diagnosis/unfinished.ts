import type { ProjectView, RotationView } from '../snapshot/types.ts';
import { type FixTarget, fillFix } from './fix.ts';
import { fileIn } from './project-files.ts';

/** certs/next of a project, which a rotation left when it ended early. */
export interface Unfinished {
  readonly path: string;
  /** Commands are in backticks: see `fixParts`. */
  readonly fix: string;
}

interface Options extends FixTarget {
  readonly compared?: ProjectView | undefined;
  /** Whether certs/next/ exists. */
  readonly hasNext?: boolean | undefined;
}

const fix = 'To continue the rotation: `apisvc rotate`. To go back, which removes the directory: `apisvc rotate --abort`';

/** @returns undefined while a process rotates, also where the cluster never knew of the rotation */
export function unfinishedOf(rotations: readonly RotationView[], { compared, hasNext, ...target }: Options): Unfinished | undefined {
  if (!compared || !hasNext || rotations.some(({ running }) => running)) return undefined;
  return { path: fileIn(compared.directory, 'next'), fix: fillFix(fix, {}, target) };
}
