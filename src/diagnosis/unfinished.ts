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
  /** Whether `rotate` could continue with it. Default true. */
  readonly isNextComplete?: boolean | undefined;
}

const back = 'To go back, which removes the directory: `apisvc rotate --abort`';

/** @returns undefined while a process rotates, also where the cluster never knew of the rotation */
export function unfinishedOf(
  rotations: readonly RotationView[],
  { compared, hasNext, isNextComplete = true, ...target }: Options,
): Unfinished | undefined {
  if (!compared || !hasNext || rotations.some(({ running }) => running)) return undefined;
  const fix = isNextComplete ? `To continue the rotation: \`apisvc rotate\`. ${back}` : back;
  return { path: fileIn(compared.directory, 'next'), fix: fillFix(fix, {}, target) };
}
