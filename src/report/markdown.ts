import { encodable } from './markup.ts';

/**
 * The special characters of GitHub's Markdown inside a line: emphasis, code, links, HTML, tables,
 * math, mentions, references, and autolinks (CommonMark 0.31 2.4; GFM 6.9).
 */
const special = /[\\`*_[\]<>&|~#!@$]|:(?=\/\/)|(?<=www)\./gi;

/** Escapes untrusted text for a line of Markdown. */
export const escapeMarkdown = (text: string): string => encodable(text).replace(special, (character) => `\\${character}`);

/** Untrusted text as a code span. A bar is escaped because it ends a table cell even in code. */
export function codeSpan(text: string): string {
  const inside = encodable(text).replaceAll('|', '\\|');
  const ticks = '`'.repeat(longestRun(inside) + 1);
  const padding = /^`|`$/.test(inside) ? ' ' : '';
  return `${ticks}${padding}${inside}${padding}${ticks}`;
}

/** Untrusted lines as a code block. */
export function codeBlock(lines: readonly string[]): readonly string[] {
  const inside = lines.map(encodable);
  const fence = '`'.repeat(Math.max(3, longestRun(inside.join('\n')) + 1));
  return [fence, ...inside, fence];
}

const longestRun = (text: string): number => Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));

/**
 * Escapes placeholders such as `<name>` in our own text: outside backticks, Markdown takes them for
 * HTML.
 */
export const escapeTags = (text: string): string => text.replace(/`[^`]*`|</g, (found) => (found === '<' ? '\\<' : found));
