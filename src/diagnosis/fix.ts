import { fill } from './catalog.ts';

/** A part of a fix: that is one text, in which commands that are to be copied stand in backticks, and nothing else does. */
export interface FixPart {
  readonly kind: 'command' | 'words';
  readonly text: string;
}

/** The parts of a fix in their order, without the punctuation that joins words to a command before or after them. */
export const fixParts = (fix: string): readonly FixPart[] =>
  fix.split(/`([^`]+)`/).flatMap((text, at): FixPart[] => {
    if (at % 2 === 1) return [{ kind: 'command', text }];
    const words = text.replace(/^[;,.]\s+|[;,]?\s+$/g, '').trim();
    return words === '' ? [] : [{ kind: 'words', text: words }];
  });

/**
 * Fills the words in braces of a fix. Values come from servers and from files of anybody, and the commands are there to be pasted into a shell:
 * there every value is one word, or a part of one.
 * @param clusterFlags what kubectl and apisvc need to reach the cluster that was looked at
 * @throws Error for a word without a value
 */
export const fillFix = (template: string, args: Readonly<Record<string, string>>, clusterFlags: readonly string[] = []): string =>
  template
    .split('`')
    .map((text, at) =>
      at % 2 === 1 ? withFlags(fill(text, args, shellWord), clusterFlags) : fill(text, args, (value) => value.replaceAll('`', "'")),
    )
    .join('`');

/** Commands that talk to a cluster, as far as the words after which flags can stand. */
const talks = /(^|\| )(kubectl|apisvc (?:register|verify))(?= )/g;

/** A command for another cluster than the one that was looked at would do harm there. */
const withFlags = (command: string, flags: readonly string[]): string =>
  flags.length === 0 ? command : command.replace(talks, (words) => [words, ...flags.map((flag) => shellWord(flag, ''))].join(' '));

/** @param before what stands before the value in its command */
function shellWord(value: string, before: string): string {
  // A backtick would end the command for fixParts, so it is written by its number (POSIX.1-2024, Shell Command Language 2.2.4).
  const quoted = value.replace(/['`]/g, (quote) => (quote === '`' ? `'$'\\x60''` : `'\\''`));
  if (before.split("'").length % 2 === 0) return quoted;
  return /^[\w.:/@,=+-]+$/.test(value) ? value : `'${quoted}'`;
}
