import { constants, open } from 'node:fs';
import { Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { fileError } from '../config/file-errors.ts';
import { isPipe, keepContent } from '../config/pipes.ts';
import type { Terminal } from './terminal.ts';

/** The inputs whose end may never come. Ctrl-C ends the wait. */

/**
 * Reads standard input to its end. A user who names `-` on a terminal presses Ctrl-C.
 * @throws InterruptedError
 */
export async function readStandardInput({ stdin, interrupt }: Pick<Terminal, 'stdin' | 'interrupt'>): Promise<string> {
  interrupt.throwIfAborted();
  return Promise.race([text(stdin()), interrupted(interrupt)]);
}

const interrupted = (interrupt: AbortSignal): Promise<never> =>
  new Promise((_, reject) => interrupt.addEventListener('abort', () => reject(interrupt.reason), { once: true }));

/**
 * Reads the pipes among files to their ends, so that `readFile` has their content.
 * @throws InterruptedError; UsageError with the reason
 */
export async function readPipes(paths: readonly string[], terminal: Pick<Terminal, 'interrupt'>): Promise<void> {
  for (const path of paths) if (isPipe(path)) keepContent(path, await readPipe(path, terminal));
}

/** Reads a pipe to its end, after the wait for a process that writes to it. */
async function readPipe(path: string, { interrupt }: Pick<Terminal, 'interrupt'>): Promise<Buffer> {
  interrupt.throwIfAborted();
  // A thread waits for the writer, and the process does not exit before it. With O_RDWR, the pipe
  // has a writer.
  const endWait = (): void => open(path, constants.O_RDWR, () => {});
  interrupt.addEventListener('abort', endWait, { once: true });
  const fd = await promisify(open)(path, 'r').catch((cause) => {
    throw fileError('read', path, cause);
  });
  interrupt.removeEventListener('abort', endWait);
  interrupt.throwIfAborted();
  return Promise.race([buffer(new Socket({ fd, readable: true, writable: false })), interrupted(interrupt)]);
}
