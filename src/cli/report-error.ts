import { fileError } from '../config/file-errors.ts';
import { ApisvcError, Exit, type ExitCode } from '../errors.ts';
import { printableLines } from '../pki/printable.ts';
import { errorColors, writeLine } from './terminal.ts';

/**
 * Writes an error to stderr, with stack traces only when `verbose`.
 * @returns the exit code for it
 */
export function reportError(error: unknown, { color, verbose }: { readonly color: boolean; readonly verbose: boolean }): ExitCode {
  const { red, bold } = errorColors(color);
  if (!(error instanceof ApisvcError)) {
    if (isEnvironment(error)) return reportError(fileError(...operationOf(error), error), { color, verbose });
    // The message of a TypeError helps only together with its stack trace.
    const { stack } = error instanceof Error ? error : new Error(String(error));
    writeLine(`${red('error:')} internal error: this is a bug in apisvc`);
    if (verbose) writeLine(printableLines(stack ?? ''));
    else writeLine(`${bold('fix:')} Run the command again with -v, and report the stack trace.`);
    return Exit.internal;
  }
  // Messages may quote text from a server or a file.
  writeLine(`${red('error:')} ${printableLines(error.message)}`);
  if (error.fix) writeLine(`${bold('fix:')} ${printableLines(error.fix)}`);
  if (verbose) writeLine(printableLines(error.stack ?? ''));
  if (verbose && error.cause instanceof Error) writeLine(`caused by ${printableLines(error.cause.stack ?? '')}`);
  return error.exitCode;
}

/** What the machine refuses, wherever it happens: no bug of apisvc. */
const environmentCodes: readonly string[] = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE'];

function isEnvironment(error: unknown): error is NodeJS.ErrnoException {
  const { syscall, code = '' } = (error ?? {}) as NodeJS.ErrnoException;
  // Errors of sockets have an address; those of spawn have the program as their path.
  return syscall !== undefined && !syscall.startsWith('spawn') && !('address' in (error as object)) && environmentCodes.includes(code);
}

/** Errors of a write to an open file have no path. */
const operationOf = ({ syscall = '', path = 'a file' }: NodeJS.ErrnoException): ['read' | 'write', string] => [
  /^(write|mkdir|mkdtemp|rename|symlink|unlink|rm|fsync)/.test(syscall) ? 'write' : 'read',
  path,
];
