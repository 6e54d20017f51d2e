import { type Argument, parseArguments } from '../config/arguments.ts';

/** The same flag and value in the form that the list already uses. */
function inFormOf({ words: present }: Argument, { words, value }: Argument): Argument {
  const [flag = ''] = present;
  return present.length === 2 && value !== undefined ? { words: [flag, value] } : { words };
}

/**
 * Puts arguments in the place of the first with the same flag, drops the others, or appends them.
 */
function setFlag(list: readonly Argument[], flag: string | undefined, wanted: readonly Argument[], keepForm: boolean): Argument[] {
  const first = list.find((argument) => argument.flag === flag);
  if (!first) return [...list, ...wanted];
  return list.flatMap((argument) => {
    if (argument === first) return wanted.map((each) => ({ ...each, ...(keepForm ? inFormOf(first, each) : {}) }));
    return argument.flag === flag ? [] : [argument];
  });
}

function setFlags(list: readonly Argument[], wanted: readonly Argument[], keepForm: boolean): readonly Argument[] {
  const flags = [...new Set(wanted.map(({ flag }) => flag))];
  return flags.reduce<readonly Argument[]>(
    (changed, flag) =>
      setFlag(
        changed,
        flag,
        wanted.filter((argument) => argument.flag === flag),
        keepForm,
      ),
    list,
  );
}

const same = (one: Argument, other: Argument): boolean =>
  one.flag === other.flag && one.value === other.value && (one.flag !== undefined || one.words[0] === other.words[0]);

/** What changes in the arguments of a container. */
export interface ArgumentChanges {
  /**
   * `--flag=value`: replaces every value that the flag has, in the form `--flag value` where that
   * is used.
   */
  readonly replace: readonly string[];
  /** Appended unless they exist already. */
  readonly add: readonly string[];
  /** Flags of apisvc, in the form in which they are given. */
  readonly set: readonly string[];
}

/**
 * The arguments of a container with the changes made. Applying the same changes again changes
 * nothing.
 */
export function changeArguments(present: readonly string[], { replace, add, set }: ArgumentChanges): string[] {
  const replaced = setFlags(parseArguments(present), parseArguments(replace), true);
  const missing = parseArguments(add).filter((wanted) => !replaced.some((argument) => same(argument, wanted)));
  return setFlags([...replaced, ...missing], parseArguments(set), false).flatMap(({ words }) => words);
}
