import type { Use } from './packages.d.mts';

export interface Tier {
  readonly name: string;
  /** The project in vitest.config.ts. */
  readonly project: string;
  /** The kinds of tests whose Debian packages it needs. */
  readonly needs: readonly Use[];
  readonly env: Record<string, string>;
}

export interface Selection {
  readonly selected: readonly Tier[];
  /** Tiers that the summary lists as not selected. */
  readonly others: readonly Tier[];
  /** Paths and flags for vitest. */
  readonly filters: string[];
  /**
   * Whether tiers, paths or flags were given. Then the checks are skipped, and every selected tier
   * must run.
   */
  readonly isExplicit: boolean;
  /** Whether only a part of a tier runs. */
  readonly isFiltered: boolean;
  /** Whether missing components are built first, and every selected tier must run. */
  readonly mustRun: boolean;
}

export const tiers: readonly Tier[];
export function stagesOf(selected: readonly Tier[]): Tier[][][];
export function selection(args: string[], env: Readonly<Record<string, string | undefined>>): Selection;
