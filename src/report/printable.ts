/** Format characters that hide or turn around what stands next to them, and the control characters of C1. */
const format = '\\u007f-\\u009f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2066-\\u2069';
/** With every control character: terminals act on them, and they come from servers and certificates. Line ends and tabs are the caller's. */
const control = new RegExp(`[\\u0000-\\u001f${format}]`, 'g');
const unescaped = new RegExp(`[${format}]`, 'g');

const hexadecimal = (character: string, digits: number): string => character.charCodeAt(0).toString(16).padStart(digits, '0');

/** Makes text from elsewhere safe for a terminal: control characters become visible escapes. */
export const printable = (text: string): string => text.replace(control, (character) => `\\x${hexadecimal(character, 2)}`);

/** The same for text that has lines of its own. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

/** The same for quoted text of JSON or YAML, where an escape stands for the character itself; those below U+0020 have theirs already. */
export const printableQuoted = (text: string): string => text.replace(unescaped, (character) => `\\u${hexadecimal(character, 4)}`);
