import { closeSync, fstatSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CommanderError } from 'commander';
import { writeAll } from '../config/write-all.ts';
import { Exit, type ExitCode, InterruptedError } from '../errors.ts';
import { makeProgram } from './program.ts';

const interrupt = new AbortController();

/** The first signal lets the command clean up; a second one exits at once. */
function onSignal(signal: InterruptedError['signal']): void {
  // A shell that loses its terminal repeats the signal of the kernel.
  if (interrupt.signal.aborted && signal === 'SIGHUP') return;
  if (interrupt.signal.aborted) process.exit(signal === 'SIGINT' ? Exit.interrupted : Exit.terminated);
  interrupt.abort(new InterruptedError(signal));
}

/** Why stdout lacks a part of the output; undefined where it is complete, or nobody reads it. */
let writeFailure: NodeJS.ErrnoException | undefined;

/**
 * Makes writes to a file complete, or fail. The stream of Node ignores how much was written
 * (lib/internal/fs/sync_write_stream.js), and so that the disk is full.
 */
function completeWritesToFile(): void {
  if (!stdoutIsFile()) return;
  process.stdout._write = (chunk: Uint8Array, _, done) => {
    try {
      writeAll(1, chunk);
    } catch (error) {
      return done(error as Error);
    }
    done();
  };
}

function stdoutIsFile(): boolean {
  try {
    return fstatSync(1).isFile();
  } catch {
    return false;
  }
}

async function main(argv: readonly string[]): Promise<ExitCode> {
  completeWritesToFile();
  // A closed pipe is no error, not even for --help.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') writeFailure = error;
  });
  process.stderr.on('error', () => {});
  if (argv[2] === '__complete') return answerShell(argv.slice(argv[3] === '--' ? 4 : 3));
  process.on('exit', leaveClosedTerminal);
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // The terminal was closed.
  process.on('SIGHUP', onSignal);
  // The command cannot continue: its own work would not know of the failure.
  process.on('uncaughtException', async (error) =>
    process.exit(await report(isTerminalGone(error) ? new InterruptedError('SIGINT') : error)),
  );
  let exitCode: ExitCode = Exit.ok;
  const program = makeProgram(interrupt.signal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv.length > 2 ? argv : [...argv, '--help']);
    return exitCode;
  } catch (error) {
    // Commander has already printed the error. Requested help has exit code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? afterHelp() : Exit.usage;
    return report(error);
  }

  /** Commander writes the help and the version without waiting for the result. */
  async function afterHelp(): Promise<ExitCode> {
    // Writes to a file are synchronous (nodejs.org, process I/O), but their errors come later.
    await nextTurn();
    if (!writeFailure) return Exit.ok;
    const { fileError } = await import('../config/file-errors.ts');
    return report(fileError('write', 'stdout', writeFailure));
  }

  async function report(error: unknown): Promise<ExitCode> {
    const { color = true, verbose = false } = program.opts();
    const reporter = isMissingModule(error) ? undefined : await import('./report-error.ts').catch(() => undefined);
    if (reporter) return reporter.reportError(error, { color, verbose });
    process.stderr.write('error: the apisvc files were replaced or removed while apisvc was running\nfix: Run the command again.\n');
    return Exit.internal;
  }
}

/** The bundle loads its parts when it needs them, and an upgrade removes them. */
const isMissingModule = (error: unknown): boolean => (error as NodeJS.ErrnoException | undefined)?.code === 'MODULE_NOT_FOUND';

/**
 * Answers a completion script. Commander does not parse the line: it is incomplete, and must not
 * run.
 */
async function answerShell(words: readonly string[]): Promise<ExitCode> {
  const { complete } = await import('./completion/complete.ts');
  const answer = await complete(
    makeProgram(interrupt.signal, () => {}),
    words,
    process.env,
  );
  return new Promise((resolve) => process.stdout.write(answer, () => resolve(Exit.ok)));
}

/**
 * Whether a prompt lost its terminal. Inquirer does not handle the errors of readline, which cannot
 * read a closed terminal or reset its mode.
 */
const isTerminalGone = ({ code, syscall }: NodeJS.ErrnoException): boolean => code === 'EIO' && /^(read|setRawMode)$/.test(syscall ?? '');

/**
 * Node resets the modes of the terminal when it exits, and aborts if the terminal was closed since
 * its start (src/node.cc, ResetStdio). It leaves closed file descriptors alone.
 */
function leaveClosedTerminal(exitCode: number): void {
  if (exitCode !== Exit.interrupted && exitCode !== Exit.terminated) return;
  for (const descriptor of [0, 1, 2]) {
    try {
      closeSync(descriptor);
    } catch {
      // It is closed already.
    }
  }
}

// The usual exit of the process. Results are flushed; keep-alive sockets must not hold it open.
void main(process.argv).then((code) => process.exit(code));
