import { join } from 'node:path';
import type { ManifestFile } from '../manifests/format.ts';
import { writeFiles } from './files.ts';

/**
 * Writes rendered manifests into a directory, all or none. Files with a private key get mode 0600 and are kept out of git.
 * @returns the paths of the manifests
 * @throws UsageError, see `writeFiles`
 */
export function writeManifests(dir: string, files: readonly ManifestFile[]): string[] {
  const secrets = files.filter((file) => file.private).map(({ path }) => path);
  const ignore =
    secrets.length === 0 ? [] : [{ path: '.gitignore', text: `# Holds a private key.\n${secrets.join('\n')}\n`, private: false }];
  writeFiles(
    [...files, ...ignore].map(({ path, text, private: secret }) => ({ path: join(dir, path), text, mode: secret ? 0o600 : 0o644 })),
  );
  return files.map(({ path }) => join(dir, path));
}
