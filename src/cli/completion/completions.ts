import { type Argument, type Command, Option } from 'commander';
import type { Candidate } from '../../commands/complete-names.ts';
import { type FormatName, formats } from '../../report/formats.ts';
import { repeatable, repeatableList } from '../options.ts';
import { optionsOf, type Position, subcommandsOf } from './position.ts';

/**
 * Names from outside the program: kubeconfig contexts, APIServices of the cluster, finding codes.
 */
export type Source = 'contexts' | 'apiServices' | 'codes';

/** What completes at the cursor: candidates, names from a source, or paths. */
export type Completions = readonly Candidate[] | Source | 'files' | 'directories';

/**
 * Finds what completes at a position, before filtering by prefix. The command tree says it all:
 * choices, and placeholders such as `<file>`.
 */
export function completionsAt(program: Command, { command, expected, given }: Position): Completions {
  if (expected === undefined) return [];
  if (expected === 'command') return commands(program);
  if (expected === 'option') return optionNames(optionsOf(command).filter((option) => isRepeatableOrNew(option, given)));
  if (expected.argChoices) return choices(expected, expected.argChoices);
  return expected instanceof Option ? optionValues(expected) : argumentValues(program, expected);
}

const commands = (program: Command): Candidate[] =>
  subcommandsOf(program).map((each) => ({ value: each.name(), description: each.description() }));

const optionNames = (options: readonly Option[]): Candidate[] =>
  options.flatMap(({ short, long, description }) =>
    [long, short].filter((name) => name !== undefined).map((value) => ({ value, description })),
  );

const choices = (expected: Option | Argument, values: readonly string[]): Candidate[] =>
  values.map((value) => ({ value, description: expected.name() === 'output' ? formats[value as FormatName].description : '' }));

const isRepeatableOrNew = (option: Option, given: Position['given']): boolean =>
  !given.has(option.attributeName()) || option.parseArg === repeatable || option.parseArg === repeatableList;

const paths: Readonly<Record<string, Completions>> = { file: 'files', dir: 'directories', program: 'files' };

function optionValues({ flags }: Option): Completions {
  const [, word = ''] = /<(\w+)>/.exec(flags) ?? [];
  const named: Readonly<Record<string, Completions>> = { ...paths, context: 'contexts', apiservice: 'apiServices' };
  return named[word] ?? [];
}

function argumentValues(program: Command, argument: Argument): Completions {
  const named: Readonly<Record<string, Completions>> = { ...paths, name: 'apiServices', code: 'codes', command: commands(program) };
  return named[argument.name()] ?? [];
}
