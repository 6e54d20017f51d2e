import { statSync } from 'node:fs';
import { fileError, reading } from '../config/file-errors.ts';
import { readFile } from '../config/pipes.ts';
import { shellWord } from '../config/shell-word.ts';

const unusable = (reason: string, fix: string): Error => Object.assign(new Error(reason), { fix });

/** Larger than any registration or certificate. YAML of this size takes seconds to parse. */
const maxBytes = 8 * 1024 * 1024;

/**
 * Reads a whole file, or a pipe that the user named.
 * @throws the error of node:fs, or an Error with the reason; `fileReason` translates both
 */
export function readBytes(path: string): Buffer {
  const file = statSync(path);
  if (file.isCharacterDevice() || file.isBlockDevice()) throw unusable('it is a device', 'Specify a file instead of a device.');
  if (file.size > maxBytes) throw unusable(`it is larger than ${maxBytes / 1024 / 1024} MiB`, 'Check the path, or split the file.');
  return readFile(path);
}

/** Reads a text file. @throws UsageError with the reason, also for text that is not UTF-8 */
export const readText = (path: string): string => decoded(readOrFail(path), path);

/**
 * The text of a file. A byte order mark tells UTF-16, which Windows PowerShell writes and kubectl
 * reads (k8s.io/cli-runtime/pkg/resource/visitor.go).
 * @throws UsageError for text that is not UTF-8
 */
function decoded(bytes: Buffer, path: string): string {
  const mark = bytes.toString('hex', 0, 2);
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw fileError(
      'read',
      path,
      unusable('it is not UTF-8 text', `Convert the file to UTF-8. To see its encoding: file ${shellWord(path)}`),
    );
  }
}

/**
 * Reads a PEM file. The text around its blocks may have any encoding.
 * @throws UsageError with the reason
 */
export const readPem = (path: string): string => pemText(readOrFail(path));

/** The text of a PEM file, byte by byte. */
export const pemText = (bytes: Buffer): string => bytes.toString('latin1');

const readOrFail = (path: string): Buffer => reading(path, () => readBytes(path));
