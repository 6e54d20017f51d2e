import type { Look } from './look.ts';

/** For how long every endpoint was seen serving the certificate. */
export interface QuietTime {
  /** Milliseconds. */
  readonly ms: number;
  /** The time of the last look, by the monotonic clock, if it was complete. */
  readonly seenMs: number | undefined;
}

export const notQuiet: QuietTime = { ms: 0, seenMs: undefined };

/** In milliseconds. In a longer time between two looks, the process may have been stopped. */
const longestGapMs = 10_000;

/**
 * Counts the time between two complete looks. An endpoint that serves another certificate restarts
 * the time. While an endpoint cannot be checked, the time stands still.
 * @param seen undefined where the look failed
 */
export function countQuiet(before: QuietTime, seen: Pick<Look, 'complete' | 'others'> | undefined, nowMs: number): QuietTime {
  const ms = seen && seen.others.length > 0 ? 0 : before.ms;
  if (!seen?.complete) return { ms, seenMs: undefined };
  const gapMs = before.seenMs === undefined ? 0 : nowMs - before.seenMs;
  return { ms: ms + Math.min(gapMs, longestGapMs), seenMs: nowMs };
}
