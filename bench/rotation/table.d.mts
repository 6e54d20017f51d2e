/** A scenario under load on one cluster. */
export interface Row {
  readonly kubernetes: string;
  readonly sync: string;
  readonly server: string;
  readonly scenario: string;
  readonly rate: number;
  readonly requests: number;
  readonly failures: number;
  readonly retried: readonly { readonly count: number }[];
  readonly watch?: { readonly opened: number; readonly longestGapMs: number };
  /** The short hash of the commit that was measured. */
  readonly commit: string;
  readonly date: string;
}

export function tableOf(rows: readonly Row[]): string;
export function originOf(rows: readonly Row[]): string;
