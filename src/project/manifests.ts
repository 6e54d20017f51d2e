import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileExists, reading } from '../config/file-errors.ts';
import type { ManifestFile } from '../manifests/format.ts';
import { secretFileName } from '../manifests/secret.ts';
import type { ManifestText } from '../manifests/types.ts';
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

/** Names of manifests in the directory that this render did not write. */
export const leftovers = (dir: string, written: readonly string[]): string[] =>
  namesIn(dir).filter((name) => /^\d{3}-.+\.yaml$/.test(name) && !written.includes(name));

/**
 * Reads a manifest, or all manifests of a directory without its subdirectories, as `kubectl -f`
 * does.
 * @throws UsageError with the reason
 */
export function readManifests(path: string): ManifestText[] {
  if (!isDirectory(path)) return [{ file: path, text: readText(path) }];
  const names = namesIn(path).filter((name) => /\.(ya?ml|json)$/.test(name));
  return names.sort().map((name) => ({ file: join(path, name), text: readText(join(path, name)) }));
}

const isDirectory = (path: string): boolean => reading(path, () => statSync(path).isDirectory());

const namesIn = (dir: string): string[] => reading(dir, () => readdirSync(dir));
