import { constants, open } from 'node:fs';
import { Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import { fileError } from '../config/file-errors.ts';
import { isPipe, keepContent } from '../config/pipes.ts';
import type { Terminal } from './terminal.ts';

/** Streams of other processes, which may never end their part. Ctrl-C ends the wait. */

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
async function readPipe(path: string, terminal: Pick<Terminal, 'interrupt'>): Promise<Buffer> {
  const fd = await openPipe(path, 'read', terminal);
  return Promise.race([buffer(new Socket({ fd, readable: true, writable: false })), interrupted(terminal.interrupt)]);
}

/**
 * Writes to a pipe, after the wait for a process that reads from it.
 * @throws InterruptedError; UsageError with the reason
 */
export async function writePipe(path: string, content: string, terminal: Pick<Terminal, 'interrupt'>): Promise<void> {
  const socket = new Socket({ fd: await openPipe(path, 'write', terminal), readable: false, writable: true });
  const written = finished(socket.end(content)).catch((cause) => {
    throw fileError('write', path, cause);
  });
  await Promise.race([written, interrupted(terminal.interrupt)]);
}

async function openPipe(path: string, action: 'read' | 'write', { interrupt }: Pick<Terminal, 'interrupt'>): Promise<number> {
  interrupt.throwIfAborted();
  // A thread waits for the other process, and this one does not exit before it. With O_RDWR, the
  // pipe has both a reader and a writer.
  const endWait = (): void => open(path, constants.O_RDWR, () => {});
  interrupt.addEventListener('abort', endWait, { once: true });
  const fd = await promisify(open)(path, action === 'read' ? 'r' : 'w').catch((cause) => {
    throw fileError(action, path, cause);
  });
  interrupt.removeEventListener('abort', endWait);
  interrupt.throwIfAborted();
  return fd;
}
