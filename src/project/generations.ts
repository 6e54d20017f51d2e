import { X509Certificate } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileError } from '../config/file-errors.ts';
import { inDirectory } from '../config/project-commands.ts';
import type { Registration } from '../config/schema.ts';
import { RefusedError, UsageError } from '../errors.ts';
import { inspect } from '../pki/inspect.ts';
import { readPrivateKey } from '../pki/keys.ts';
import { type CertificatesRequest, type ReadCertificates, readCertificates } from './certificates.ts';
import { type Disk, disk as realDisk } from './disk.ts';
import type { FileToWrite } from './files.ts';
import { type CertificatesToWrite, certificateFiles, filesOfCertificates } from './project.ts';
import { pemText } from './read.ts';
import { pathsOfSets } from './sets.ts';

/**
 * The set of certificates in use, certs/, and the next one, certs/next/. A set becomes current by
 * renaming whole directories, so a crash leaves a whole old or a whole new set.
 */

/**
 * Writes certificates to certs/next, all files or none. Only the holder of the Lease calls it.
 * @throws RefusedError when certs/next exists, or another process changed the files before they
 * were complete; UsageError with the reason when writing fails
 */
export function writeNext(dir: string, certificates: CertificatesToWrite, disk: Disk = realDisk): void {
  const { certs, next, staged } = pathsOfSets(dir);
  onDisk('write', next, () => {
    if (disk.kindOf(next)) throw inRotation(dir);
    removeTree(disk, staged);
    // A pod that continues the rotation of another one has no files yet.
    if (!disk.kindOf(certs)) disk.makeDirectory(certs, dirname(certs));
    disk.makeDirectory(staged, certs);
    const ignored = disk.read(certificateFiles(certs).ignore);
    const files = filesOfCertificates(staged, certificates).map((file) => {
      const keepsText = ignored !== undefined && file.path === certificateFiles(staged).ignore;
      return keepsText ? { ...file, text: ignored } : file;
    });
    for (const file of files) disk.write(file);
    disk.syncDirectory(staged);
    // A process that took the Lease over may have deleted some of the files, the CA key among them.
    if (!isWhole(disk, staged, files)) throw changedMeanwhile(staged);
    disk.rename(staged, next);
    disk.syncDirectory(certs);
  });
}

/** Whether a directory has exactly these files. */
function isWhole(disk: Disk, directory: string, files: readonly FileToWrite[]): boolean {
  const names = files.map(({ path }) => basename(path)).sort();
  if (disk.kindOf(directory) !== 'directory' || disk.list(directory).join('/') !== names.join('/')) return false;
  return files.every(({ path, text }) => disk.read(path) === pemText(Buffer.from(text)));
}

const changedMeanwhile = (staged: string): RefusedError =>
  new RefusedError(`another process changed ${staged} while the new certificates were written\nnothing was changed`, {
    fix: 'Run the same command again when no other rotation is running.',
  });

const inRotation = (dir: string): RefusedError =>
  new RefusedError(`a rotation is in progress: ${pathsOfSets(dir).next} exists`, { fix: continueOrAbort(dir) });

const continueOrAbort = (dir: string): string =>
  [
    `If the rotation is running, wait until it is complete. To see its progress: ${inDirectory('apisvc status', dir)}`,
    `If the rotation was interrupted, continue it: ${inDirectory('apisvc rotate', dir)}`,
    `Or roll back to the old certificates: ${inDirectory('apisvc rotate --abort', dir)}`,
  ].join('\n');

/** Whether a rotation has certificates that are not in use yet. */
export const hasNext = (dir: string): boolean => realDisk.kindOf(pathsOfSets(dir).next) !== undefined;

/** Whether a rotation left certificates that are not in use, or parts of them. */
export const hasLeftovers = (dir: string): boolean => hasNext(dir) || realDisk.kindOf(pathsOfSets(dir).staged) !== undefined;

/**
 * Refuses a command that would write or apply certs/ in the middle of a rotation.
 * @throws RefusedError when certs/next exists
 */
export function refuseDuringRotation(dir: string): void {
  if (hasNext(dir)) throw inRotation(dir);
}

/** Reads certs/next as `readCertificates` reads certs/. @returns undefined when there is none */
export const readNext = (dir: string, registration: Registration, request: CertificatesRequest): ReadCertificates | undefined =>
  hasNext(dir) ? readCertificates(dir, registration, { ...request, set: 'next' }) : undefined;

/**
 * Refuses a rotation that could never make certs/next the set in use: rename(2) neither replaces a
 * mount point nor moves a directory to another file system.
 * @throws UsageError when certs/ is a mount point
 */
export function refuseMount(dir: string): void {
  const { certs } = pathsOfSets(dir);
  const deviceOf = (path: string): number | undefined => lstatSync(path, { throwIfNoEntry: false })?.dev;
  if (deviceOf(certs) === undefined || deviceOf(certs) === deviceOf(dirname(certs))) return;
  throw new UsageError(`${certs} is a mount point, so a rotation cannot replace it`, {
    fix: `Mount the file system at a parent directory of ${certs}, for example at ${dirname(certs)}.`,
  });
}

/**
 * Makes certs/next the set in use. The replaced keys are deleted; other files of certs/ stay. Only
 * the holder of the Lease calls it.
 * @throws UsageError with the reason; `recover` finishes what was begun
 */
export function promoteNext(dir: string, disk: Disk = realDisk): void {
  recover(dir, disk);
  const { certs, next, incoming } = pathsOfSets(dir);
  onDisk('write', incoming, () => {
    if (!disk.kindOf(next)) return;
    disk.rename(next, incoming);
    disk.syncDirectory(certs);
    disk.syncDirectory(dirname(certs));
  });
  recover(dir, disk);
}

/** Deletes certs/next, if there is one. @throws UsageError with the reason */
export function discardNext(dir: string, disk: Disk = realDisk): void {
  const { certs, next, staged } = pathsOfSets(dir);
  onDisk('remove', next, () => {
    if (!disk.kindOf(next)) return;
    removeTree(disk, staged);
    // Half a set must never look like a whole one.
    disk.rename(next, staged);
    disk.syncDirectory(certs);
    removeTree(disk, staged);
    disk.syncDirectory(certs);
  });
}

/**
 * Finishes a `promoteNext` that was interrupted. Commands that read or write certs/ call it first.
 * They do not hold the Lease: the process that promotes may still run, and notices that its work is
 * done. What such a process is writing, certs/next.tmp, stays.
 * @throws UsageError with the reason
 */
export function finishPromotion(dir: string, disk: Disk = realDisk): void {
  const { certs, incoming, replaced } = pathsOfSets(dir);
  const parent = dirname(certs);
  onDisk('write', certs, () => {
    unlessDone(
      () => moveIn(disk, dir),
      () => !disk.kindOf(incoming),
    );
    // No interruption leaves only the old set: two processes were here at once.
    if (disk.kindOf(replaced) && !disk.kindOf(certs)) {
      disk.rename(replaced, certs);
      disk.syncDirectory(parent);
    }
    if (!disk.kindOf(replaced)) return;
    unlessDone(
      () => removeTree(disk, replaced),
      () => !disk.kindOf(replaced),
    );
    disk.syncDirectory(parent);
  });
}

/** A file that is missing halfway is no fault where another process did the same meanwhile. */
function unlessDone(change: () => void, isDone: () => boolean): void {
  try {
    change();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !isDone()) throw error;
  }
}

/** Puts the incoming set in the place of certs/, which becomes the replaced one. */
function moveIn(disk: Disk, dir: string): void {
  const { certs, incoming, replaced } = pathsOfSets(dir);
  if (!disk.kindOf(incoming)) return;
  if (disk.kindOf(certs)) {
    keepOtherFiles(disk, certs, incoming);
    // Another process finished meanwhile: certs/ is the new set already.
    if (!disk.kindOf(incoming)) return;
    disk.rename(certs, replaced);
    disk.syncDirectory(dirname(certs));
  }
  disk.rename(incoming, certs);
  disk.syncDirectory(dirname(certs));
}

/**
 * Finishes a `promoteNext`, and deletes what an interrupted `writeNext` or `discardNext` left. Only
 * the holder of the Lease calls it: the keys in certs/next.tmp may be those that another process is
 * writing.
 * @throws UsageError with the reason
 */
export function recover(dir: string, disk: Disk = realDisk): void {
  finishPromotion(dir, disk);
  const { certs, staged } = pathsOfSets(dir);
  onDisk('write', certs, () => {
    if (!disk.kindOf(staged)) return;
    removeTree(disk, staged);
    disk.syncDirectory(certs);
  });
}

/** Moves the files that no rotation replaces from the old set to the new one. */
function keepOtherFiles(disk: Disk, certs: string, incoming: string): void {
  const old = certificateFiles(certs);
  const replaced = [...Object.values(old).map((path) => basename(path)), 'next.tmp'];
  const stays = (name: string): boolean => (name === basename(old.caKey) ? keepsCaKey(disk, certs, incoming) : !replaced.includes(name));
  const moved = disk.list(certs).filter((name) => stays(name) && !disk.kindOf(join(incoming, name)));
  for (const name of moved) disk.rename(join(certs, name), join(incoming, name));
  disk.syncDirectory(incoming);
  disk.syncDirectory(certs);
}

/**
 * Whether the CA key stays: the CA is the same, or the key is that of a CA in the new set, for
 * example of a renewed CA certificate. The files may have other text around their certificates.
 */
function keepsCaKey(disk: Disk, certs: string, incoming: string): boolean {
  const [old, fresh] = [certificateFiles(certs), certificateFiles(incoming)];
  const certificatesIn = (path: string) => inspect(disk.read(path) ?? '').certificates;
  const fingerprints = (path: string): string =>
    certificatesIn(path)
      .map(({ fingerprint }) => fingerprint)
      .sort()
      .join();
  if (fingerprints(old.caCertificate) === fingerprints(fresh.caCertificate)) return true;
  const { key } = readPrivateKey(disk.read(old.caKey) ?? '');
  if (!key) return false;
  return [fresh.caCertificate, fresh.certificate].flatMap(certificatesIn).some(({ pem }) => new X509Certificate(pem).checkPrivateKey(key));
}

/** Removes a file, or a directory with everything in it. */
function removeTree(disk: Disk, path: string): void {
  const kind = disk.kindOf(path);
  if (kind === 'file') disk.unlink(path);
  if (kind !== 'directory') return;
  // Keys first, and .gitignore, which keeps them out of git, last.
  for (const name of disk.list(path).toReversed()) removeTree(disk, join(path, name));
  disk.removeDirectory(path);
}

function onDisk(action: 'write' | 'remove', path: string, change: () => void): void {
  try {
    change();
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === undefined ? cause : fileError(action, path, cause);
  }
}
