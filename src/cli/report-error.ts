import { ApisvcError, Exit, type ExitCode } from '../errors.ts';
import { printableLines } from '../report/printable.ts';
import { errorColors, writeLine } from './terminal.ts';

/** Puts an error on stderr, with stack traces only when asked; returns what it means for the exit code. */
export function reportError(error: unknown, { color, verbose }: { readonly color: boolean; readonly verbose: boolean }): ExitCode {
  const { red, bold } = errorColors(color);
  if (!(error instanceof ApisvcError)) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    writeLine(`${red('error:')} apisvc itself failed: ${printableLines(message)}`);
    writeLine(verbose ? printableLines(stack ?? '') : 'This is a defect of apisvc; run it again with -v for details to report.');
    return Exit.usage;
  }
  // They may quote what a server or a file says.
  writeLine(`${red('error:')} ${printableLines(error.message)}`);
  if (error.fix) writeLine(`${bold('fix:')} ${printableLines(error.fix)}`);
  if (verbose) writeLine(printableLines(error.stack ?? ''));
  if (verbose && error.cause instanceof Error) writeLine(`caused by ${printableLines(error.cause.stack ?? '')}`);
  return error.exitCode;
}
