const maxLength = 60;

/** Characters that move the cursor, reorder or hide text in a terminal: controls, direction and joining marks, line separators. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text for one line of a terminal: what is unprintable is written as JSON would. */
export const printable = (text: string): string =>
  text.replace(unprintable, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);

/** A value from a file as an error message may show it: JSON on one line, short, harmless to a terminal, never a private key. */
export function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  if (/PRIVATE KEY/.test(json)) return '[private key]';
  const text = printable(json);
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`;
}
