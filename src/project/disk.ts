import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { readFile } from '../config/pipes.ts';
import { type FileToWrite, writeDurably } from './files.ts';

/**
 * The file operations that replace a whole directory. Each is one step that a crash can precede or
 * follow; a test walks all of them. Names in a directory are safe only after `syncDirectory`.
 */
export interface Disk {
  /** What is at a path, without following a symbolic link. */
  kindOf(path: string): 'file' | 'directory' | undefined;
  list(directory: string): readonly string[];
  /** @returns undefined for a file that does not exist */
  read(path: string): string | undefined;
  makeDirectory(path: string, like: string): void;
  /** Writes a new file. Its content is safe afterwards, its name is not. */
  write(file: FileToWrite): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  removeDirectory(path: string): void;
  syncDirectory(path: string): void;
}

/** The disk of this machine. Every function throws the error of node:fs. */
export const disk: Disk = {
  kindOf(path) {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats && (stats.isDirectory() ? 'directory' : 'file');
  },
  list: (directory) => readdirSync(directory).sort(),
  read(path) {
    try {
      return readFile(path).toString('latin1');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  },
  // A directory that the user closed to others stays closed.
  makeDirectory: (path, like) => mkdirSync(path, { mode: lstatSync(like).mode & 0o777 }),
  write: (file) => writeDurably(file.path, file),
  rename: renameSync,
  unlink: unlinkSync,
  removeDirectory: rmdirSync,
  syncDirectory(path) {
    const descriptor = openSync(path, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  },
};
