import type { Target } from './targets.d.mts';

export interface Archive {
  readonly target: Target;
  /** Its name in the release. */
  readonly file: string;
  readonly sha256: string;
}
export function krewManifest(release: { readonly version: string; readonly repository: string }, archives: readonly Archive[]): string;
