/** When the next run for a cluster begins. Times are in milliseconds. */
export interface Pace {
  /** Nothing runs before this time, whatever changes. */
  readonly earliestMs: number;
  /** The next run without a change. */
  readonly latestMs: number;
  /** The pause after a change. Changes come in bursts: a rollout changes several objects. */
  readonly settleMs: number;
}

/** What a run was like. */
export interface RunCost {
  /** How many requests it sent to kube-apiserver. */
  readonly requests: number;
  /** How many runs, one after the other, have failed or found what may be over soon. */
  readonly retries: number;
}

/**
 * The shortest pause between two runs, so that an API that flaps does not cause a run per flap.
 */
const shortestPauseMs = 10_000;

/** The most requests per second to one kube-apiserver, averaged over a run and its pause. */
export const requestsPerSecond = 20;

/**
 * Decides the pauses after a run. A run with many requests is followed by a longer pause, so that
 * the average stays below `requestsPerSecond`. What failed, or may be over soon, is tried again
 * sooner than the interval, with growing pauses.
 * @param random from 0 to 1: spreads the runs of several monitors
 */
export function paceAfter({ requests, retries }: RunCost, intervalMs: number, random: number): Pace {
  const jitter = 0.9 + 0.2 * random;
  const earliestMs = Math.max(Math.min(shortestPauseMs, intervalMs), (requests / requestsPerSecond) * 1_000);
  const wantedMs = retries > 0 ? Math.min(intervalMs, shortestPauseMs * 2 ** (retries - 1)) : intervalMs;
  return { earliestMs, latestMs: Math.max(earliestMs, wantedMs * jitter), settleMs: 1_000 * jitter };
}

/** The most time over which the first runs for several clusters are spread. */
const longestSpreadMs = 5_000;

/**
 * When the first run for a cluster begins, in ms from the start: at once at the first cluster, and
 * at the others within 5 seconds, so that they do not need the processor at the same time.
 * @param random from 0 to 1
 */
export function pauseBeforeFirst({ index, count }: { readonly index: number; readonly count: number }, random: number): number {
  if (index === 0) return 0;
  const slotMs = Math.min(500, longestSpreadMs / (count - 1));
  return slotMs * (index - 1 + random);
}

/** The longest pause between two attempts to watch. A refusal may be over soon too. */
const longestWatchPauseMs = 60_000;

/**
 * The pause before the next watch, in ms.
 * @param failures how many attempts have failed one after the other
 * @param random from 0 to 1
 */
export const pauseBeforeWatch = (failures: number, random: number): number =>
  Math.min(longestWatchPauseMs, shortestPauseMs * 2 ** Math.max(0, failures - 1)) * (0.5 + random / 2);
