import { CommanderError } from 'commander';
import { ApisvcError, Exit, type ExitCode, InterruptedError } from '../errors.ts';
import { printableLines } from '../report/printable.ts';
import { makeProgram } from './program.ts';
import { openTerminal, writeLine } from './terminal.ts';

const interrupt = new AbortController();

/** The first signal lets the command end in good order; whoever sends a second one does not want to wait for that. */
function onSignal(signal: 'SIGINT' | 'SIGTERM'): void {
  if (interrupt.signal.aborted) process.exit(signal === 'SIGINT' ? Exit.interrupted : Exit.terminated);
  interrupt.abort(new InterruptedError(signal));
}

/** Words for an error; a stack trace only with -v. */
function report(error: unknown, { color, verbose }: { color: boolean; verbose: boolean }): ExitCode {
  const { red, bold } = openTerminal({ color, quiet: false, interrupt: interrupt.signal }).errColors;
  if (!(error instanceof ApisvcError)) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    writeLine(`${red('error:')} apisvc itself failed: ${printableLines(message)}`);
    writeLine(verbose ? (stack ?? '') : 'This is a defect of apisvc; run it again with -v for details to report.');
    return Exit.usage;
  }
  // They may quote what a server or a file says.
  writeLine(`${red('error:')} ${printableLines(error.message)}`);
  if (error.fix) writeLine(`${bold('fix:')} ${printableLines(error.fix)}`);
  if (verbose) writeLine(error.stack ?? '');
  if (verbose && error.cause instanceof Error) writeLine(`caused by ${error.cause.stack}`);
  return error.exitCode;
}

async function main(argv: readonly string[]): Promise<ExitCode> {
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  let exitCode: ExitCode = Exit.ok;
  const program = makeProgram(interrupt.signal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv.length > 2 ? argv : [...argv, '--help']);
    return exitCode;
  } catch (error) {
    // Commander has said what it had to say; help that was asked for is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.ok : Exit.usage;
    const { color = true, verbose = false } = program.opts();
    return report(error, { color, verbose });
  }
}

// The only place where the process ends. Results are flushed by now; sockets that are kept alive must not hold it open.
process.exit(await main(process.argv));
