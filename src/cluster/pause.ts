import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for a time.
 * @param until ends the pause early, without an error
 * @throws the reason of `signal`
 */
export async function pause(ms: number, signal: AbortSignal, until?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: until ? AbortSignal.any([until, signal]) : signal }).catch(() => signal.throwIfAborted());
}
