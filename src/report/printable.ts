/** Every control and format character: terminals act on them, and they come from servers and certificates. Line ends and tabs are the caller's. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const control = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Makes text from elsewhere safe for a terminal: control characters become visible escapes. */
export const printable = (text: string): string =>
  text.replace(control, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** The same for text that has lines of its own. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

/** The same for JSON with lines of its own, in JSON's escapes: it reads as before. */
export const escapeControls = (json: string): string =>
  json.replace(control, (character) => (character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`));
