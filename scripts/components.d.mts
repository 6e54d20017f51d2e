/** The exports of components.mjs that the cluster tests use. */
export function findComponents(): {
  readonly programs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly missing: readonly { readonly name: string; readonly package: string; readonly module: string }[];
};
/** The names of the cells of the node tier. */
export const cells: readonly string[];
/** The cache folder of the cluster tests. */
export function cacheRoot(): string;
