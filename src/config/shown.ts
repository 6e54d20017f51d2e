import { printableQuoted } from '../pki/printable.ts';

const maxLength = 60;

/**
 * A value from a file for an error message: short JSON, safe for a terminal, never a private key.
 */
export function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  if (/PRIVATE KEY/.test(json)) return '[private key]';
  const text = printableQuoted(json);
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`;
}
