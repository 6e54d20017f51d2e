import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/**
 * Variables that make apisvc send itself a signal as soon as it prints this. It cannot go on before
 * the signal arrives, as it could if the test sent it.
 */
export const signalAfter = (printed: RegExp, by: NodeJS.Signals) => ({
  NODE_OPTIONS: `--import=${join(import.meta.dirname, 'killed-after.mjs')}`,
  KILLED_AFTER: printed.source,
  KILLED_BY: by,
});

/**
 * Waits until a process has stopped itself. What it printed before that may arrive earlier, and
 * SIGCONT would have no effect.
 */
export async function untilStopped({ pid }: { readonly pid?: number | undefined }): Promise<void> {
  const state = (): string | undefined => / \(.*\) (\S)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
  await expect.poll(state, { timeout: 60_000 }).toBe('T');
}
