import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileExists } from '../config/file-errors.ts';
import { inDirectory } from '../config/project-commands.ts';
import { shellWord } from '../config/shell-word.ts';
import { UsageError } from '../errors.ts';

/**
 * The directories with certificates, and those that exist only while one replaces another.
 * @throws UsageError where certs/ is a file
 */
export function pathsOfSets(dir: string) {
  const certs = directoryOf(join(dir, 'certs'));
  if (isFile(certs)) {
    throw new UsageError(`${certs} is a file, not a directory`, {
      fix: `Move the file away: mv ${shellWord(certs)} ${shellWord(`${certs}.old`)}`,
    });
  }
  const beside = (suffix: string): string => join(dirname(certs), `.${basename(certs)}.${suffix}`);
  return {
    certs,
    next: join(certs, 'next'),
    /** Half-written or half-deleted. */
    staged: join(certs, 'next.tmp'),
    /** A whole set on its way to certs/. */
    incoming: beside('new'),
    /** The set that was in certs/ before. */
    replaced: beside('old'),
  };
}

/** A link to a directory elsewhere stays; the directory behind it is replaced. */
function directoryOf(path: string): string {
  try {
    return lstatSync(path).isSymbolicLink() ? resolve(dirname(path), readlinkSync(path)) : path;
  } catch {
    // It does not exist, or the operation on it fails with the reason.
    return path;
  }
}

function isFile(path: string): boolean {
  try {
    return !statSync(path).isDirectory();
  } catch {
    // As above.
    return false;
  }
}

/**
 * Refuses to read certs/ while it is missing because a rotation was killed at that moment.
 * @throws UsageError
 */
export function refuseInterrupted(dir: string): void {
  const { certs, incoming } = pathsOfSets(dir);
  if (fileExists(certs) || !fileExists(incoming)) return;
  throw new UsageError(`${certs} does not exist: a rotation was interrupted while it replaced the directory`, {
    fix: `Finish the rotation: ${inDirectory('apisvc rotate', dir)}`,
  });
}
