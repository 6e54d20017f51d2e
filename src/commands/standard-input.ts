import { text } from 'node:stream/consumers';
import type { Terminal } from './terminal.ts';

/**
 * Reads standard input to its end, which may never come: a user who names `-` on a terminal presses
 * Ctrl-C.
 * @throws InterruptedError
 */
export async function readStandardInput({ stdin, interrupt }: Pick<Terminal, 'stdin' | 'interrupt'>): Promise<string> {
  interrupt.throwIfAborted();
  const interrupted = new Promise<never>((_, reject) => {
    interrupt.addEventListener('abort', () => reject(interrupt.reason), { once: true });
  });
  return Promise.race([text(stdin()), interrupted]);
}
