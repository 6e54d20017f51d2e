/** What the cluster tests use of components.mjs. */
export function findComponents(): {
  readonly programs: Readonly<Record<string, string>>;
  readonly missing: readonly { readonly name: string; readonly package: string }[];
};
