import type { Candidate } from '../../commands/known-names.ts';
import { printable } from '../../report/printable.ts';

/** What the shell is to do beside the candidates (github.com/spf13/cobra/completions.go, ShellCompDirective); kubectl passes it on. */
const directives = { files: 0, nothing: 4, directories: 16 } as const;

export type Beside = keyof typeof directives;

/**
 * The answer that completion scripts read, in the form that cobra gives it: a candidate on each line, with a tab before its description, and the directive on the last.
 * @param typed what candidates must begin with; one that is on the line already, or that a terminal would not show as it is, is left out
 */
export function answerText(candidates: readonly Candidate[], typed: string, beside: Beside): string {
  const lines = candidates
    .filter(({ value }) => value !== '' && value.startsWith(typed) && printable(value) === value)
    .map(({ value, description }) => [value, words(description)].filter((part) => part !== '').join('\t'));
  return `${[...new Set(lines), `:${directives[beside]}`].join('\n')}\n`;
}

const words = (description: string): string => printable(description.replace(/\s+/g, ' ').trim());
