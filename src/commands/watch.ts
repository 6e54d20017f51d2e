import { setTimeout as sleep } from 'node:timers/promises';
import { ApisvcError, Exit, type ExitCode } from '../errors.ts';
import { printable } from '../report/printable.ts';
import type { Terminal } from './terminal.ts';

const pauseMs = 5_000;

/** One look: what makes it different from another, and the text of it. */
export interface Frame {
  readonly key: string;
  readonly text: string;
}

/**
 * Looks every five seconds and draws what has changed, until it is interrupted or nobody reads any more. A cluster that can't be reached is a state like
 * any other, once there was a first look.
 * @throws InterruptedError; what the first look throws
 */
export async function watch(look: () => Promise<Frame>, terminal: Terminal): Promise<ExitCode> {
  let drawn: string | undefined;
  for (;;) {
    const frame = await look().catch((error: unknown): Frame => {
      terminal.interrupt.throwIfAborted();
      if (drawn === undefined || !(error instanceof ApisvcError)) throw error;
      return { key: printable(error.message), text: '' };
    });
    terminal.status('');
    if (frame.key !== drawn) {
      if (frame.text === '') terminal.progress(frame.key);
      else await terminal.redraw(frame.text);
    }
    drawn = frame.key;
    if (terminal.readerGone()) return Exit.ok;
    await sleep(pauseMs, undefined, { signal: terminal.interrupt }).catch(() => terminal.interrupt.throwIfAborted());
  }
}
