import { injectionAnnotation } from '../manifests/labels.ts';
import { seen } from '../snapshot/observed.ts';
import type { ApiSnapshot, ProjectView, RotationView } from '../snapshot/types.ts';
import { type FixTarget, fillFix } from './fix.ts';
import { fileIn } from './project-files.ts';

/** What a rotation left when it ended early. */
export interface Unfinished {
  /** certs/next of a project, or the annotation of an APIService. */
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

const onward = 'To continue the rotation: `apisvc rotate`';
const back = 'To roll back and remove the directory: `apisvc rotate --abort`';

/** @returns undefined while a process rotates, also where the cluster never knew of the rotation */
export function unfinishedOf(
  rotations: readonly RotationView[],
  apis: readonly ApiSnapshot[],
  { compared, hasNext, isNextComplete = true, ...target }: Options,
): Unfinished | undefined {
  if (rotations.some(({ running }) => running)) return undefined;
  // cert-manager has both CAs, so there is no directory and no way back.
  const marked = apis.find(({ apiService }) => seen(apiService)?.annotations[injectionAnnotation] !== undefined);
  if (marked) return { path: `annotation ${injectionAnnotation} of apiservice/${marked.name}`, fix: fillFix(onward, {}, target) };
  if (!compared || !hasNext) return undefined;
  return { path: fileIn(compared.directory, 'next'), fix: fillFix(isNextComplete ? `${onward}. ${back}` : back, {}, target) };
}
