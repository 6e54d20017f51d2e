import type { Argument, Command, Option } from 'commander';

/** The position of the cursor in a command line, in terms of the command tree. */
export interface Position {
  readonly command: Command;
  /**
   * What is being typed: a value, or the name of an option or a subcommand. undefined: not known.
   */
  readonly expected: Option | Argument | 'option' | 'command' | undefined;
  /** The part that is typed so far; `js` of `--output=js`. */
  readonly typed: string;
  /**
   * Values of the options before it, by commander's attribute names. A boolean flag has an empty
   * value.
   */
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
}

/** Every option that a command accepts, including those of its parents. */
export function optionsOf(command: Command): Option[] {
  const help = command.createHelp();
  return [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
}

/** The subcommands that --help lists. */
export const subcommandsOf = (command: Command): Command[] => command.createHelp().visibleCommands(command);

/**
 * Parses a command line as commander does (lib/command.js, parseOptions), up to its last word,
 * which is being typed.
 * @param words - the unquoted words after the program name; the last is empty after a space
 */
export function positionOf(program: Command, words: readonly string[]): Position {
  const typed = words.at(-1) ?? '';
  const line = new Line(program);
  for (const word of words.slice(0, -1)) line.read(word);
  const { command, given, operands } = line;
  const at = (expected: Position['expected'], rest = typed): Position => ({ command, expected, typed: rest, given, operands });
  if (line.unknownCommand) return at(undefined);
  if (line.awaiting) return at(line.awaiting);
  if (line.takesOptions && typed.startsWith('-')) {
    // The value in `-ojson` is not completed: shells would replace the whole word.
    const { option, value } = typed.startsWith('--') ? withValue(command, typed) : {};
    return value === undefined ? at('option') : at(option, value);
  }
  if (isGroup(command)) return at('command');
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  return at(registeredArguments[operands.length] ?? (last?.variadic ? last : undefined));
}

const isGroup = (command: Command): boolean => subcommandsOf(command).length > 0;

/** Reads the words before the cursor, one after the other. */
class Line {
  readonly given = new Map<string, readonly string[]>();
  readonly operands: string[] = [];
  /** The option whose value comes next. */
  awaiting: Option | undefined;
  /** False after `--`. */
  takesOptions = true;
  /** True after a subcommand that does not exist: what follows is not known. */
  unknownCommand = false;

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
    else this.unknownCommand = true;
  }
}

const takesValue = (option: Option): boolean => !option.isBoolean() && !option.negate;

interface WrittenOption {
  readonly option?: Option | undefined;
  readonly value?: string;
  /** The rest of a word that starts with a boolean short flag: `-C` of `-yC`. */
  readonly more?: string;
}

/** Splits `--output=json`, `-ojson` and `-yC`. `-o` and `--output` have no value yet. */
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
