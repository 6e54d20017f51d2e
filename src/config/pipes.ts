import { readFileSync, statSync } from 'node:fs';

/**
 * Named pipes, or pipes of the shell as in `<(command)`. To open one waits for a writer, and would
 * stop the whole process, so that it does not see Ctrl-C either. Those that the user names are read
 * before anything else reads files.
 */

/** What came out of them. A pipe can be read only once, and some files are read more than once. */
const contents = new Map<string, Buffer>();

/** Whether a path is a pipe that was not read yet. */
export function isPipe(path: string): boolean {
  try {
    return !contents.has(path) && statSync(path).isFIFO();
  } catch {
    // Reading it tells why.
    return false;
  }
}

/** Keeps what came out of a pipe for `readFile`. */
export const keepContent = (path: string, content: Buffer): unknown => contents.set(path, content);

/**
 * Reads a file, or a pipe whose content was kept.
 * @throws the error of node:fs; as `refusePipe`
 */
export function readFile(path: string): Buffer {
  refusePipe(path);
  return contents.get(path) ?? readFileSync(path);
}

/** @throws an Error with the reason, for a pipe that was not read; `fileReason` translates it */
export function refusePipe(path: string): void {
  if (isPipe(path)) throw Object.assign(new Error('it is a named pipe'), { fix: 'Replace the pipe with a file.' });
}
