/** An argument of a container, or two where a flag and its value are separate. */
export interface Argument {
  readonly words: readonly string[];
  /** Without dashes; absent for anything that is not a flag. */
  readonly flag?: string;
  readonly value?: string;
}

/**
 * Splits a list as pflag does, except that a flag without `=` takes the next word as its value
 * unless that looks like a flag: only the server knows which of its flags are switches.
 */
export function parseArguments(args: readonly string[]): Argument[] {
  const parsed: Argument[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? '';
    const [, flag, value] = /^--?([A-Za-z][\w.-]*)(?:=(.*))?$/s.exec(word) ?? [];
    const next = args[at + 1];
    if (flag === undefined) parsed.push({ words: [word] });
    else if (value !== undefined) parsed.push({ words: [word], flag, value });
    else if (next === undefined || next.startsWith('-')) parsed.push({ words: [word], flag });
    else {
      parsed.push({ words: [word, next], flag, value: next });
      at += 1;
    }
  }
  return parsed;
}
