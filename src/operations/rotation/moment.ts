/** A moment, in milliseconds of two clocks. */
export interface Moment {
  /** Stands still while the machine is suspended (CLOCK_MONOTONIC, clock_gettime(2)). */
  readonly monotonicMs: number;
  /** May be set at any time. */
  readonly wallMs: number;
}

export const moment = (): Moment => ({ monotonicMs: performance.now(), wallMs: Date.now() });

/** How long ago a moment was, by the clock that says more. */
const ageMs = ({ monotonicMs, wallMs }: Moment): number => Math.max(performance.now() - monotonicMs, Date.now() - wallMs);

/** How old what was seen may be when something is written because of it, at first. */
const freshMs = 10_000;

/**
 * Judges whether what was seen since a moment still counts. The limit doubles with each time that
 * it does not, so that looks at a large cluster, which take longer, come to an end.
 */
export function ageLimit(): (since: Moment) => boolean {
  let limitMs = freshMs;
  return (since) => {
    if (ageMs(since) <= limitMs) return true;
    limitMs *= 2;
    return false;
  };
}
