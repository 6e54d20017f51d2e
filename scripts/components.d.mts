/** What the cluster tests use of components.mjs. */
export function findComponents(): {
  readonly programs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly missing: readonly { readonly name: string; readonly package: string; readonly module: string }[];
};
/** The folder that built programs of a Go module are kept in. */
export function cacheDir(module: string): string;
