/** The libraries that the executable loads (ldd), beside its loader. */
export const libraries: readonly string[];
