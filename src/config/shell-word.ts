/** A word as a POSIX shell reads it, in single quotes where it needs any. */
export const shellWord = (word: string): string => (/^[\w./@:+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
