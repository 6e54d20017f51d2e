import { completeFix, type RepeatedFlags } from '../commands/complete-fix.ts';
import type { Terminal } from '../commands/terminal.ts';
import { ApisvcError, type ExitCode, InterruptedError } from '../errors.ts';
import { type FormatName, formatOf } from '../report/formats.ts';

interface Invocation {
  /** The name of the subcommand. */
  readonly command: string;
  /** Its flags, as far as commands have them. */
  readonly flags: FixFlags & {
    /** The value of `-o`. */
    readonly output?: FormatName;
  };
}

interface FixFlags extends Omit<RepeatedFlags, 'context'> {
  /** A list where the flag may be repeated. */
  readonly context?: string | readonly string[];
}

/**
 * Runs a command. If it fails before it writes a result, and CI systems read its format, the result
 * is the error: a job that uploads the report even if the command fails needs a valid file.
 * @throws what the command throws
 */
export async function reportFailedRun(
  { command, flags }: Invocation,
  terminal: Terminal,
  run: (terminal: Terminal) => Promise<ExitCode>,
): Promise<ExitCode> {
  let written = false;
  const result: Terminal['result'] = (text) => {
    written = true;
    return terminal.result(text);
  };
  try {
    return await run({ ...terminal, result });
  } catch (error) {
    completeFix(error, { ...flags, context: onlyContext(flags) });
    const failedRun = flags.output && formatOf(flags.output).failedRun;
    if (failedRun && !written && error instanceof ApisvcError && !(error instanceof InterruptedError)) {
      const { message, fix } = error;
      await terminal.result(await failedRun({ command, message, fix, at: new Date().toISOString() }));
    }
    throw error;
  }
}

/** Of several contexts, none is the one that the commands in a fix need. */
function onlyContext({ context = [] }: FixFlags): string | undefined {
  const [only, ...more] = [context].flat();
  return more.length > 0 || /[*?]/.test(only ?? '') ? undefined : only;
}
