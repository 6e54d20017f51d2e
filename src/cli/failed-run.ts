import type { Terminal } from '../commands/terminal.ts';
import { ApisvcError, type ExitCode, InterruptedError } from '../errors.ts';
import { type FormatName, formatOf } from '../report/formats.ts';

interface Invocation {
  /** The name of the subcommand. */
  readonly command: string;
  /** The value of `-o`, for commands that have it. */
  readonly output?: FormatName;
}

/**
 * Runs a command. If it fails before it writes a result, and CI systems read its format, the result
 * is the error: a job that uploads the report even if the command fails needs a valid file.
 * @throws what the command throws
 */
export async function reportFailedRun(
  { command, output }: Invocation,
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
    const failedRun = output && formatOf(output).failedRun;
    if (failedRun && !written && error instanceof ApisvcError && !(error instanceof InterruptedError)) {
      const { message, fix } = error;
      await terminal.result(await failedRun({ command, message, fix, at: new Date().toISOString() }));
    }
    throw error;
  }
}
