import { Chalk } from 'chalk';

/** No colors: every escape in the output comes from the input. */
export const colorless = new Chalk({ level: 0 });
export const colored = new Chalk({ level: 1 });

/** Control characters except line ends, and bidirectional marks. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for them.
export const escapes = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069]/;
