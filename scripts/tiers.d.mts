import type { Use } from './packages.d.mts';

export interface Tier {
  readonly name: string;
  /** Project of vitest.config.ts. */
  readonly project: 'unit' | 'cli' | 'sandbox' | 'cluster' | 'node';
  /** Whose Debian packages it needs. */
  readonly needs: readonly Use[];
  readonly env: Record<string, string>;
}

export interface Selection {
  readonly selected: readonly Tier[];
  /** Tiers that the summary names as not selected. */
  readonly others: readonly Tier[];
  /** Arguments of vitest: paths and flags. */
  readonly filters: string[];
  /** Tiers, paths or flags were given: the checks are left out, and every selected tier must run. */
  readonly isExplicit: boolean;
  /** Only a part of a tier runs. */
  readonly isFiltered: boolean;
  /** `npm run test:cluster`: what is missing is built first. */
  readonly mustRun: boolean;
}

export const tiers: readonly Tier[];
export function selection(args: string[], env: Readonly<Record<string, string | undefined>>): Selection;
