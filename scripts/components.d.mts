/** What the cluster tests use of components.mjs. */
export function findComponents(): {
  readonly programs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly missing: readonly { readonly name: string; readonly package: string; readonly module: string }[];
};
/** Names of the kinds of cluster with a node. */
export const cells: readonly string[];
/** The folder of everything that is kept for later runs. */
export function cacheRoot(): string;
