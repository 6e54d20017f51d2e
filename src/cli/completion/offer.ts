import { type Argument, type Command, Option } from 'commander';
import type { Candidate } from '../../commands/known-names.ts';
import { each, list } from '../options.ts';
import { optionsOf, type Position, subcommandsOf } from './position.ts';

/** Names that the tree does not hold: those of the kubeconfig, of the cluster, of the catalog. */
export type Source = 'contexts' | 'apiServices' | 'codes';

/** What may stand at the cursor: some of these, a name from elsewhere, a path, or nothing that anybody knows. */
export type Offer = readonly Candidate[] | Source | 'files' | 'directories';

/** What may be typed at a position, whatever its beginning. All of it is in the tree: choices, and the words in brackets, as in `<file>`. */
export function offerAt(program: Command, { command, expected, given }: Position): Offer {
  if (expected === undefined) return [];
  if (expected === 'command') return commands(program);
  if (expected === 'option') return optionNames(optionsOf(command).filter((option) => mayStillBeGiven(option, given)));
  if (expected.argChoices) return expected.argChoices.map((value) => ({ value, description: '' }));
  return expected instanceof Option ? optionValues(expected) : argumentValues(program, expected);
}

const commands = (program: Command): Candidate[] =>
  subcommandsOf(program).map((each) => ({ value: each.name(), description: each.description() }));

const optionNames = (options: readonly Option[]): Candidate[] =>
  options.flatMap(({ short, long, description }) =>
    [long, short].filter((name) => name !== undefined).map((value) => ({ value, description })),
  );

const mayStillBeGiven = (option: Option, given: Position['given']): boolean =>
  !given.has(option.attributeName()) || option.parseArg === each || option.parseArg === list;

const paths: Readonly<Record<string, Offer>> = { file: 'files', dir: 'directories', program: 'files' };

function optionValues({ flags }: Option): Offer {
  const [, word = ''] = /<(\w+)>/.exec(flags) ?? [];
  return word === 'context' ? 'contexts' : (paths[word] ?? []);
}

function argumentValues(program: Command, argument: Argument): Offer {
  const named: Readonly<Record<string, Offer>> = { ...paths, name: 'apiServices', code: 'codes', command: commands(program) };
  return named[argument.name()] ?? [];
}
