import { fileError, fileReason } from '../../config/file-errors.ts';
import type { ApisvcError } from '../../errors.ts';

/** The error for a file system that takes no more data from a sandbox. */
export const fullDisk = (path: string, cause: unknown): ApisvcError =>
  fileError('write', path, cause, 'Free some space, or set TMPDIR to a directory on another file system.');

/** The message of any error, without the codes of Node for a file operation. */
export function plainMessage(error: unknown): string {
  const { syscall, path, message = String(error) } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return message;
  return path === undefined ? fileReason(error) : `${path}: ${fileReason(error)}`;
}
