import { encodable } from './markup.ts';

/**
 * What GitHub's Markdown acts on inside a line: emphasis, code, links, HTML, tables, mathematics, mentions, references, and the two that make a link of bare text.
 * (CommonMark 0.31 2.4; GFM 6.9)
 */
const special = /[\\`*_[\]<>&|~#!@$]|:(?=\/\/)|(?<=www)\./gi;

/** Text from anywhere as text of a Markdown line. */
export const plain = (text: string): string => encodable(text).replace(special, (character) => `\\${character}`);

/** Text as a code span, fenced by one backtick more than it holds in a row. A bar would end the cell of a table even there. */
export function codeSpan(text: string): string {
  const inside = encodable(text).replaceAll('|', '\\|');
  const ticks = '`'.repeat(longestRun(inside) + 1);
  const padding = /^`|`$/.test(inside) ? ' ' : '';
  return `${ticks}${padding}${inside}${padding}${ticks}`;
}

/** Lines as a block of code. */
export function codeBlock(lines: readonly string[]): readonly string[] {
  const inside = lines.map(encodable);
  const fence = '`'.repeat(Math.max(3, longestRun(inside.join('\n')) + 1));
  return [fence, ...inside, fence];
}

const longestRun = (text: string): number => Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));

/** Text of ours, which may hold `<name>` as kubectl's usage texts do: in Markdown that would be a tag, but not within backticks. */
export const tagless = (text: string): string => text.replace(/`[^`]*`|</g, (found) => (found === '<' ? '\\<' : found));
