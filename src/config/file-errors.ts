import { existsSync, lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { MachineError, UsageError } from '../errors.ts';
import { shellWord } from './shell-word.ts';

type Action = 'read' | 'write' | 'remove';

/** Why a file operation failed, and what to do about it, by the code of Node. */
const failures: Readonly<Record<string, { readonly reason: string; readonly fix?: (action: Action, path: string) => string }>> = {
  ENOENT: {
    reason: 'no such file or directory',
    fix: (action) => (action === 'write' ? 'Create the directory first, or choose another path.' : 'Check the path.'),
  },
  EACCES: { reason: 'permission denied', fix: permissionFix },
  EPERM: { reason: 'operation not permitted', fix: permissionFix },
  EROFS: { reason: 'the file system is read-only', fix: () => 'Choose a directory on a writable file system.' },
  ENOSPC: { reason: 'no space left on the device', fix: () => 'Free some space, or choose a directory on another file system.' },
  EDQUOT: { reason: 'disk quota exceeded', fix: () => 'Free some space, or choose a directory on another file system.' },
  EIO: { reason: 'input/output error', fix: () => 'Check the disk, or choose a directory on another file system.' },
  EISDIR: {
    reason: 'it is a directory',
    fix: (action) => (action === 'write' ? 'Move the directory away, or choose another path.' : 'Specify a file instead of a directory.'),
  },
  ENOTDIR: { reason: 'not a directory', fix: () => 'Check the path.' },
  EEXIST: { reason: 'the file already exists', fix: () => 'Choose another path, or move the file away.' },
  ELOOP: { reason: 'too many levels of symbolic links', fix: () => 'Check the path: a symbolic link in it points to itself.' },
  ENAMETOOLONG: { reason: 'file name too long', fix: () => 'Use a shorter path.' },
  EMFILE: { reason: 'too many open files', fix: () => 'Raise the limit of this shell: ulimit -n 4096' },
  ENFILE: { reason: 'too many open files in the system', fix: () => 'Close programs that keep many files open.' },
  EPIPE: { reason: 'the process that reads from it has ended', fix: () => 'Check the command that reads from the pipe.' },
  EBUSY: { reason: 'the file or device is busy', fix: () => 'Choose another path, or end the program that uses it.' },
};

function permissionFix(action: Action, path: string): string {
  const directory = action === 'read' ? closedAbove(path) : undefined;
  if (directory !== undefined) {
    return `Give the current user execute permission (x) on the directory, or choose another path. To see the permissions: ls -ld ${shellWord(directory)}`;
  }
  const wanted = { read: 'read access', write: 'write access', remove: 'write access to its directory' }[action];
  return `Give the current user ${wanted}, or choose another path. To see the permissions: ls -ld ${shellWord(action === 'write' ? existing(path) : path)}`;
}

/** The directory above a path that the user may not search; undefined where the path is reached. */
function closedAbove(path: string): string | undefined {
  try {
    lstatSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EACCES') return closedAbove(dirname(path)) ?? dirname(path);
  }
  return undefined;
}

/** The path, or the nearest directory above it that exists. */
const existing = (path: string): string => (existsSync(path) || path === dirname(path) ? path : existing(dirname(path)));

/** Why a file operation failed, without the codes of the operating system. */
export function fileReason(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  // A message of Node looks like "ENOTEMPTY: directory not empty, rmdir '/a/b'".
  return failures[code ?? '']?.reason ?? /^E[A-Z\d]+: ([^,]+), /.exec(message)?.[1] ?? message;
}

/** Why a write fails without a fault of the user. */
const machineCodes: readonly string[] = ['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE'];

/**
 * The error for a file operation that failed.
 * @param fix replaces the one that the cause suggests
 */
export function fileError(action: Action, path: string, cause: unknown, fix?: string): UsageError | MachineError {
  const { code, syscall, path: opened = path } = cause as NodeJS.ErrnoException;
  // A file operation of several steps also opens the directory above.
  const failed = code === 'EACCES' && ['open', 'scandir'].includes(syscall ?? '') ? opened : path;
  const place = code === 'EACCES' && action === 'read' ? (closedAbove(failed) ?? failed) : failed;
  const advice = fix ?? fileFix(action, failed, cause);
  const ErrorClass = action !== 'read' && machineCodes.includes((cause as NodeJS.ErrnoException).code ?? '') ? MachineError : UsageError;
  return new ErrorClass(`failed to ${action} ${place}: ${fileReason(cause)}`, { ...(advice === undefined ? {} : { fix: advice }), cause });
}

/** What to do about a file operation that failed, if its cause suggests something. */
export const fileFix = (action: Action, path: string, cause: unknown): string | undefined =>
  (cause as { readonly fix?: string }).fix ?? failures[(cause as NodeJS.ErrnoException).code ?? '']?.fix?.(action, path);

/**
 * Whether a path exists.
 * @throws UsageError when that is not known, for example without permission
 */
export function fileExists(path: string): boolean {
  try {
    return statSync(path) !== undefined;
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return false;
    throw fileError('read', path, cause);
  }
}

const fullCodes: readonly string[] = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'];

/** Whether an operation failed because the file system takes no more data. */
export const isFull = (cause: unknown): boolean => fullCodes.includes((cause as NodeJS.ErrnoException | undefined)?.code ?? '');

/** Runs an operation that reads a path that the user gave. @throws UsageError with the reason */
export function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw fileError('read', path, cause);
  }
}
