/** Types for the proof that a schema and an interface say the same. */

/**
 * What JSON keeps of a type: a key that is undefined is not there, and nothing is readonly. Every
 * key is listed, so that none can be missing on one side.
 */
export type Stored<T> = T extends string | number | boolean | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? Stored<Item>[]
    : { -readonly [Key in keyof Required<T>]: Stored<T[Key & keyof T]> };

/** `true` where each type can stand for the other, else an error that shows both. */
export type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : { readonly tooWide: B }) : { readonly differs: A };
