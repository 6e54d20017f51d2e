import { writeSync } from 'node:fs';

/**
 * Writes everything: a write to a file may be short, such as one that fills the disk.
 * @throws the error of node:fs
 */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}
