import { CommanderError } from 'commander';
import { Exit, type ExitCode, InterruptedError } from '../errors.ts';
import { makeProgram } from './program.ts';

const interrupt = new AbortController();

/** The first signal lets the command end in good order; whoever sends a second one does not want to wait for that. */
function onSignal(signal: 'SIGINT' | 'SIGTERM'): void {
  if (interrupt.signal.aborted) process.exit(signal === 'SIGINT' ? Exit.interrupted : Exit.terminated);
  interrupt.abort(new InterruptedError(signal));
}

async function main(argv: readonly string[]): Promise<ExitCode> {
  // A reader that has gone away is no error, for help neither; the terminal deals with the rest where results are written.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  if (argv[2] === '__complete') return answerShell(argv.slice(argv[3] === '--' ? 4 : 3));
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // A terminal that is closed.
  process.on('SIGHUP', () => onSignal('SIGTERM'));
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
    const { reportError } = await import('./report-error.ts');
    return reportError(error, { color, verbose });
  }
}

/** What completion scripts ask, before commander reads anything: half a command line is not to be judged, nor run. */
async function answerShell(words: readonly string[]): Promise<ExitCode> {
  const { complete } = await import('./completion/complete.ts');
  const answer = await complete(
    makeProgram(interrupt.signal, () => {}),
    words,
    process.env,
  );
  return new Promise((resolve) => process.stdout.write(answer, () => resolve(Exit.ok)));
}

// The only place where the process ends. Results are flushed by now; sockets that are kept alive must not hold it open.
process.exit(await main(process.argv));
