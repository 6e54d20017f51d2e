import type { Candidate } from '../../commands/complete-names.ts';
import { printable } from '../../pki/printable.ts';

/**
 * What the shell completes besides the candidates: ShellCompDirective of
 * github.com/spf13/cobra/completions.go, which kubectl passes on.
 */
const directives = { files: 0, nothing: 4, directories: 16 } as const;

export type Directive = keyof typeof directives;

/**
 * Formats candidates as cobra does: one candidate a line, a tab before its description, and the
 * directive on the last line. Candidates with control characters are left out.
 * @param typed - the prefix of every candidate
 */
export function answerText(candidates: readonly Candidate[], typed: string, directive: Directive): string {
  const lines = candidates
    .filter(({ value }) => value !== '' && value.startsWith(typed) && printable(value) === value)
    .map(({ value, description }) => [value, singleLine(description)].filter((part) => part !== '').join('\t'));
  return `${[...new Set(lines), `:${directives[directive]}`].join('\n')}\n`;
}

const singleLine = (description: string): string => printable(description.replace(/\s+/g, ' ').trim());
