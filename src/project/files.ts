import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileError, fileExists, fileFix } from '../config/file-errors.ts';
import { shellWord } from '../config/shell-word.ts';
import { ApisvcError, UsageError } from '../errors.ts';

/** A file to write. The umask restricts `mode`. */
export interface FileToWrite {
  readonly path: string;
  readonly text: string;
  /** 0o600 for anything with a private key, else 0o644. */
  readonly mode: 0o600 | 0o644;
}

/**
 * Writes several files: first to temporary files beside the targets, then renames them.
 * - Each file is replaced atomically, with its final mode.
 * - When writing fails, no target has changed; temporary files and new directories are removed.
 * - When a rename fails or the process is killed, each target is either the old or the new file.
 * @throws UsageError with the reason; MachineError for a full disk
 */
export function writeFiles(files: readonly FileToWrite[]): void {
  const staged: { readonly temporary: string; readonly path: string }[] = [];
  const made: string[] = [];
  let at = '';
  try {
    for (const file of files) {
      at = file.path;
      refuseDirectory(at);
      makeDirectory(dirname(file.path), made);
      const temporary = join(dirname(file.path), `.${basename(file.path)}.${randomBytes(4).toString('hex')}`);
      staged.push({ temporary, path: file.path });
      writeDurably(temporary, file);
    }
    for (const { temporary, path } of staged) {
      at = path;
      renameSync(temporary, path);
    }
  } catch (cause) {
    for (const { temporary } of staged) rmSync(temporary, { force: true });
    // Only what this call created.
    for (const directory of made.reverse()) rmSync(directory, { recursive: true, force: true });
    // The user does not know the temporary file, which needs write access to the directory.
    throw fileError('write', at, Object.assign(cause as Error, { path: at }), fileFix('write', dirname(at), cause));
  }
}

/**
 * Writes a file that the user named, as `>` of a shell does: it follows symbolic links, and writes
 * to a device or a pipe instead of replacing it. The directory must exist. A regular file is
 * replaced as in `writeFiles`.
 * @throws UsageError with the reason; MachineError for a full disk
 */
export function saveFile({ path, ...file }: FileToWrite): void {
  let target = path;
  try {
    target = followed(path);
    const stats = statSync(target, { throwIfNoEntry: false });
    if (stats && !stats.isFile() && !stats.isDirectory()) {
      writeFileSync(target, file.text);
      return;
    }
    const directory = dirname(target);
    if (!fileExists(directory)) {
      throw new UsageError(`directory ${directory} does not exist`, { fix: `mkdir -p ${shellWord(directory)}` });
    }
  } catch (cause) {
    throw cause instanceof ApisvcError ? cause : fileError('write', path, cause);
  }
  writeFiles([{ path: target, ...file }]);
}

/** Resolves symbolic links, also of a file that does not exist. Keeps paths of /dev and /proc. */
function followed(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats) return stats.isFile() ? realpathSync(path) : path;
  return lstatSync(path, { throwIfNoEntry: false }) ? resolve(dirname(path), readlinkSync(path)) : path;
}

/** Removes a file. @returns its path @throws UsageError with the reason */
export function removeFile(path: string): string {
  try {
    unlinkSync(path);
    return path;
  } catch (cause) {
    throw fileError('remove', path, cause);
  }
}

/**
 * Like `mkdir -p`, one level at a time, because the recursive mkdir of Node reports a read-only
 * file system as not found. Adds the new directories to `made`.
 */
function makeDirectory(path: string, made: string[]): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path), made);
  mkdirSync(path);
  made.push(path);
}

/** A directory in place of a file would stop the renames half-way. */
function refuseDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw Object.assign(new Error(path), { code: 'EISDIR' });
}

/**
 * Writes a new file, and waits until the disk has its content: without fsync, a renamed file may be
 * empty after a crash.
 * @throws the error of node:fs, also when the file exists
 */
export function writeDurably(path: string, { text, mode }: FileToWrite): void {
  const descriptor = openSync(path, 'wx', mode);
  try {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
