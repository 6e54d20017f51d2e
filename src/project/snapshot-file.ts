import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { fileError, reading } from '../config/file-errors.ts';
import { UsageError } from '../errors.ts';

/** The start of a snapshot of any version. Files may have been formatted by another program. */
const snapshotStart = /^\s*\{\s*"apiVersion"\s*:\s*"apisvc\.dev\/snapshot\//;
const startBytes = 1024;

/**
 * Refuses to replace a file that is no snapshot, such as a manifest named by mistake. Empty files,
 * devices and pipes hold nothing that would be lost.
 * @throws UsageError with the reason
 */
export function refuseOtherFile(path: string): void {
  const stats = reading(path, () => statSync(path, { throwIfNoEntry: false }));
  if (stats?.isDirectory()) throw fileError('write', path, { code: 'EISDIR' });
  if (!stats?.isFile() || stats.size === 0 || snapshotStart.test(reading(path, () => startOf(path)))) return;
  throw new UsageError(`${path} exists and is not a snapshot`, {
    fix: 'Choose another path for --save.',
  });
}

function startOf(path: string): string {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(startBytes);
    return bytes.toString('utf8', 0, readSync(descriptor, bytes));
  } finally {
    closeSync(descriptor);
  }
}
