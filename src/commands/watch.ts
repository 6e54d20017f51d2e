import { pause } from '../cluster/backoff.ts';
import { ApisvcError, Exit, type ExitCode } from '../errors.ts';
import { printable } from '../pki/printable.ts';
import type { Terminal } from './terminal.ts';

const pauseMs = 5_000;

/** One report. Frames with the same key show the same state. */
export interface Frame {
  readonly key: string;
  readonly text: string;
}

/**
 * Checks every five seconds and redraws on changes, until it is interrupted or the reader is gone.
 * After the first check, a cluster that is not reachable is a state like any other.
 * @throws InterruptedError; whatever the first check throws
 */
export async function watch(check: () => Promise<Frame>, terminal: Terminal): Promise<ExitCode> {
  let drawn: string | undefined;
  for (;;) {
    const frame = await check().catch((error: unknown): Frame => {
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
    await pause(pauseMs, terminal.interrupt);
  }
}
