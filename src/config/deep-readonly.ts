/**
 * Data that nobody changes: every property and every list of `T` is readonly. For types that are
 * inferred from a schema.
 */
export type DeepReadonly<T> = { readonly [Key in keyof T]: DeepReadonly<T[Key]> };
