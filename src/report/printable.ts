/** C1 control characters, and format characters that hide or reorder the text next to them. */
const format = '\\u007f-\\u009f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2066-\\u2069';
/** Terminals interpret control characters, which may come from servers and certificates. */
const control = new RegExp(`[\\u0000-\\u001f${format}]`, 'g');
const unescaped = new RegExp(`[${format}]`, 'g');

const hexadecimal = (character: string, digits: number): string => character.charCodeAt(0).toString(16).padStart(digits, '0');

/** Makes untrusted text safe for a terminal: control characters, tabs and line ends become visible escapes. */
export const printable = (text: string): string => text.replace(control, (character) => `\\x${hexadecimal(character, 2)}`);

/** `printable` that keeps line ends. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

/** `printable` for quoted strings of JSON and YAML, which already escape characters below U+0020. */
export const printableQuoted = (text: string): string => text.replace(unescaped, (character) => `\\u${hexadecimal(character, 4)}`);
