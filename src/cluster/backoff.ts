import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for a time.
 * @param until ends the pause early, without an error
 * @throws the reason of `signal`
 */
export async function pause(ms: number, signal: AbortSignal, until?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: until ? AbortSignal.any([until, signal]) : signal }).catch(() => signal.throwIfAborted());
}

/** Pauses between attempts. */
export interface Backoff {
  /** Waits twice as long as before, up to the longest pause. @throws as `pause` */
  pause(signal: AbortSignal, until?: AbortSignal): Promise<void>;
  /** The next pause is the first again. */
  reset(): void;
}

/** Makes pauses that grow from `firstMs` to `longestMs`. */
export function backoff({ firstMs, longestMs }: { readonly firstMs: number; readonly longestMs: number }): Backoff {
  let nextMs = firstMs;
  return {
    async pause(signal, until) {
      await pause(nextMs, signal, until);
      nextMs = Math.min(nextMs * 2, longestMs);
    },
    reset() {
      nextMs = firstMs;
    },
  };
}
