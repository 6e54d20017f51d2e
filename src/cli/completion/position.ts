import type { Argument, Command, Option } from 'commander';

/** Where the cursor is in a command line, in terms of the program's own tree of commands and options. */
export interface Position {
  readonly command: Command;
  /** What is being typed: the value of an option or an argument, the name of an option or of a subcommand, or nothing that the tree knows. */
  readonly expected: Option | Argument | 'option' | 'command' | undefined;
  /** What of it is there already; of `--output=js`, `js`. */
  readonly typed: string;
  /** Values of the options before it, by commander's names for them; a flag without a value has an empty one. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
}

/** Every option that may stand after a command, those of the commands above it included. */
export function optionsOf(command: Command): Option[] {
  const help = command.createHelp();
  return [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
}

/** The subcommands that --help lists. */
export const subcommandsOf = (command: Command): Command[] => command.createHelp().visibleCommands(command);

/**
 * Reads a command line as commander would (lib/command.js, parseOptions), up to its last word, which is being typed.
 * @param words all after the program's name, unquoted; an empty last one when the cursor is after a space
 */
export function positionOf(program: Command, words: readonly string[]): Position {
  const typed = words.at(-1) ?? '';
  const line = new Line(program);
  for (const word of words.slice(0, -1)) line.read(word);
  const { command, given, operands } = line;
  const at = (expected: Position['expected'], rest = typed): Position => ({ command, expected, typed: rest, given, operands });
  if (line.lost) return at(undefined);
  if (line.awaiting) return at(line.awaiting);
  if (line.takesOptions && typed.startsWith('-')) {
    // The value of a short option in the same word is not completed: shells would replace the whole word.
    const { option, value } = typed.startsWith('--') ? withValue(command, typed) : {};
    return value === undefined ? at('option') : at(option, value);
  }
  if (isGroup(command)) return at('command');
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  return at(registeredArguments[operands.length] ?? (last?.variadic ? last : undefined));
}

const isGroup = (command: Command): boolean => subcommandsOf(command).length > 0;

/** The words before the cursor, read one after the other. */
class Line {
  readonly given = new Map<string, readonly string[]>();
  readonly operands: string[] = [];
  /** The option whose value comes next. */
  awaiting: Option | undefined;
  /** Whether `--` has not been there yet. */
  takesOptions = true;
  /** Whether there is a subcommand that does not exist: nothing is known of what follows. */
  lost = false;

  constructor(public command: Command) {}

  read(word: string): void {
    if (this.awaiting) this.#give(this.awaiting, word);
    else if (this.takesOptions && word === '--') this.takesOptions = false;
    else if (this.takesOptions && word.length > 1 && word.startsWith('-')) this.#readOption(word);
    else if (isGroup(this.command)) this.#descend(word);
    else this.operands.push(word);
  }

  #readOption(word: string): void {
    const { option, value, more } = withValue(this.command, word);
    if (option === undefined) return;
    if (value !== undefined) this.#give(option, value);
    else if (takesValue(option)) this.awaiting = option;
    else this.#give(option, '');
    if (more !== undefined) this.#readOption(more);
  }

  #give(option: Option, value: string): void {
    const name = option.attributeName();
    this.given.set(name, [...(this.given.get(name) ?? []), value]);
    this.awaiting = undefined;
  }

  #descend(word: string): void {
    const found = subcommandsOf(this.command).find((each) => each.name() === word || each.aliases().includes(word));
    if (found) this.command = found;
    else this.lost = true;
  }
}

const takesValue = (option: Option): boolean => !option.isBoolean() && !option.negate;

interface WrittenOption {
  readonly option?: Option | undefined;
  readonly value?: string;
  /** What follows a short flag without a value in the same word, with a dash of its own: `-C` of `-yC`. */
  readonly more?: string;
}

/** Takes `--output=json`, `-ojson` and `-yC` apart; `-o` and `--output` have no value yet. */
function withValue(command: Command, word: string): WrittenOption {
  const options = optionsOf(command);
  const [, long, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
  if (long !== undefined && value !== undefined) return { option: options.find((each) => each.long === long), value };
  if (word.startsWith('--')) return { option: options.find((each) => each.long === word) };
  const rest = word.slice(2);
  const option = options.find((each) => each.short === word.slice(0, 2));
  if (option === undefined || rest === '') return { option };
  return takesValue(option) ? { option, value: rest } : { option, more: `-${rest}` };
}
