import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileError, fileExists, fileFix } from '../config/file-errors.ts';
import { shellWord } from '../config/shell-word.ts';
import { writeAll } from '../config/write-all.ts';
import { ApisvcError, RefusedError, UsageError } from '../errors.ts';

/** A file to write. The umask restricts `mode`. */
export interface FileToWrite {
  readonly path: string;
  readonly text: string;
  /** 0o600 for anything with a private key, else 0o644. */
  readonly mode: 0o600 | 0o644;
  /** Whether to fail if the file exists when it gets its name. Default: it is replaced. */
  readonly isNew?: boolean;
}

/**
 * Writes several files: first to temporary files beside the targets, then renames them.
 * - Each file is replaced atomically, with its final mode.
 * - When writing fails, no target has changed; temporary files and new directories are removed.
 * - When a rename fails or the process is killed, each target is either the old or the new file.
 * @param files those with `isNew` first, so that one that exists leaves all of them as they were
 * @throws UsageError with the reason; RefusedError for a file that another process has created;
 * MachineError for a full disk
 */
export function writeFiles(files: readonly FileToWrite[]): void {
  const staged: { readonly temporary: string; readonly path: string; readonly isNew: boolean }[] = [];
  const made: string[] = [];
  let at = '';
  try {
    for (const file of files) {
      at = file.path;
      refuseDirectory(at);
      makeDirectory(dirname(file.path), made);
      const temporary = join(dirname(file.path), `.${basename(file.path)}.${randomBytes(4).toString('hex')}`);
      staged.push({ temporary, path: file.path, isNew: file.isNew === true });
      writeDurably(temporary, file);
    }
    for (const { temporary, path, isNew } of staged) {
      at = path;
      if (isNew) linkNew(temporary, path);
      else renameSync(temporary, path);
    }
  } catch (cause) {
    for (const { temporary } of staged) rmSync(temporary, { force: true });
    // Only what this call created, and no other process uses.
    for (const directory of made.reverse()) removeEmpty(directory);
    if (cause instanceof ApisvcError) throw cause;
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
  try {
    mkdirSync(path);
    made.push(path);
  } catch (cause) {
    // Another process may have made it.
    if (!existsSync(path)) throw cause;
  }
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Another process has put files there.
  }
}

/**
 * Names a file that was written, unless another process has created one: rename(2) would replace
 * it. On a file system without links, it does. A symbolic link to nothing is no file, and replaced.
 */
function linkNew(temporary: string, path: string): void {
  try {
    linkSync(temporary, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST' && existsSync(path))
      throw new RefusedError(`${path} was created by another process in the meantime\nno file was written`, {
        fix: 'Run the same command again.',
      });
    renameSync(temporary, path);
    return;
  }
  unlinkSync(temporary);
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
    writeAll(descriptor, Buffer.from(text));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
