/** Characters that control a terminal, or that hide or reorder the text next to them. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const hexadecimal = (character: string, digits: number): string => (character.codePointAt(0) ?? 0).toString(16).padStart(digits, '0');

/**
 * Makes untrusted text safe for one line of a terminal: control characters, tabs and line ends
 * become visible escapes.
 */
export const printable = (text: string): string => text.replace(unprintable, (character) => `\\x${hexadecimal(character, 2)}`);

/** `printable` that keeps line ends. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

/**
 * `printable` for JSON and YAML, whose strings have escapes for control characters. Line ends and
 * tabs between the strings stay.
 */
export const printableQuoted = (text: string): string =>
  text.replace(unprintable, (character) => (/[\n\t]/.test(character) ? character : utf16Escapes(character)));

/** JSON escapes UTF-16 code units. */
const utf16Escapes = (character: string): string =>
  Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
