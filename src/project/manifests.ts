import { type Dirent, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileExists, reading } from '../config/file-errors.ts';
import { UsageError } from '../errors.ts';
import { secretFileName } from '../manifests/secret.ts';
import type { ManifestFault, ManifestFile, ManifestText } from '../manifests/types.ts';
import { removeFile, writeFiles } from './files.ts';
import { readText } from './read.ts';

/**
 * Writes rendered manifests into a directory, all or none. Files with a private key get mode 0600
 * and an entry in .gitignore.
 * @returns their names, in apply order
 * @throws UsageError as `writeFiles`
 */
export function writeManifests(dir: string, files: readonly ManifestFile[]): string[] {
  const secrets = files.filter((file) => file.private).map(({ path }) => path);
  const ignore = ignoreFile(dir, secrets);
  writeFiles(
    [...files, ...ignore].map(({ path, text, private: secret }) => ({ path: join(dir, path), text, mode: secret ? 0o600 : 0o644 })),
  );
  return files.map(({ path }) => path);
}

function ignoreFile(dir: string, secrets: readonly string[]): ManifestFile[] {
  const path = join(dir, '.gitignore');
  const present = fileExists(path) ? readText(path) : '';
  const lines = present.split(/\r?\n/);
  const missing = secrets.filter((name) => !lines.includes(name));
  if (missing.length === 0) return [];
  const before = present === '' || present.endsWith('\n') ? present : `${present}\n`;
  return [{ path: '.gitignore', text: `${before}# Contains a private key.\n${missing.join('\n')}\n`, private: false }];
}

/**
 * Removes the Secret of an earlier render, because its private key is no longer requested.
 * @returns the removed path, if any
 * @throws UsageError with the reason
 */
export function removeSecret(dir: string): string | undefined {
  const path = join(dir, secretFileName);
  return fileExists(path) ? removeFile(path) : undefined;
}

/** Names of manifests in the directory, or in the chart there, that this render did not write. */
export function leftovers(dir: string, written: readonly string[]): string[] {
  const inChart = fileExists(join(dir, 'templates')) ? namesIn(join(dir, 'templates')).map((name) => join('templates', name)) : [];
  return [...namesIn(dir), ...inChart].filter((name) => /^\d{3}-.+\.yaml$/.test(basename(name)) && !written.includes(name));
}

/** A file or directory that was not read. */
export interface Unread {
  readonly fault: ManifestFault;
  /** Absent for a directory that is left to kustomize. */
  readonly error?: UsageError;
}

/** The manifests of several paths. */
export interface FoundManifests {
  readonly texts: readonly ManifestText[];
  readonly unread: readonly Unread[];
}

/**
 * Reads a manifest, or all manifests of a directory, as `kubectl -f` does. A file that cannot be
 * read does not hide the others. The files of a kustomization and of a Helm chart are not read:
 * they are incomplete objects.
 * @param recursive whether to read subdirectories too, as `kubectl -R` does
 */
export function readManifests(path: string, recursive = false): FoundManifests {
  try {
    const stats = reading(path, () => statSync(path));
    if (kustomizations.includes(basename(path))) return { texts: [], unread: [kustomization(path)] };
    return stats.isDirectory() ? readDirectory(path, recursive) : { texts: [{ file: path, text: readText(path) }], unread: [] };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const words = error.message.slice(error.message.indexOf(`${path}: `) + path.length + 2);
    return { texts: [], unread: [{ fault: { file: path, kind: 'unreadable', words }, error }] };
  }
}

const kustomization = (file: string): Unread => ({
  fault: { file, kind: 'kustomization', words: 'its directory is a kustomization' },
});

const helmChart = (file: string): Unread => ({
  fault: { file, kind: 'template', words: 'its directory is a Helm chart that was not rendered' },
});

const kustomizations = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

function readDirectory(dir: string, recursive: boolean): FoundManifests {
  const entries = reading(dir, () => readdirSync(dir, { withFileTypes: true })).sort((one, other) => (one.name < other.name ? -1 : 1));
  const found = entries.find(({ name }) => kustomizations.includes(name));
  if (found) return { texts: [], unread: [kustomization(join(dir, found.name))] };
  const chart = entries.find(({ name }) => name === 'Chart.yaml');
  if (chart) return { texts: [], unread: [helmChart(join(dir, chart.name))] };
  const parts = entries
    .filter((entry) => (entry.isDirectory() ? recursive : !isPipe(entry) && /\.(ya?ml|json)$/.test(entry.name)))
    .map((entry) => readManifests(join(dir, entry.name), recursive));
  return { texts: parts.flatMap(({ texts }) => texts), unread: parts.flatMap(({ unread }) => unread) };
}

/** Opening a pipe, a socket or a device may wait without end. Links may lead to files. */
const isPipe = (entry: Dirent): boolean => !entry.isFile() && !entry.isSymbolicLink();

const namesIn = (dir: string): string[] => reading(dir, () => readdirSync(dir));
