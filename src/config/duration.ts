const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, y: 365 * 86_400_000 } as const;

const part = /(\d+)(ms|s|m|h|d|y)/g;
const whole = new RegExp(`^(?:${part.source})+$`);

/**
 * Reads a length of time such as `90s`, `500ms`, `1h30m`, `90d` or `10y` (a year is 365 days): what Go's time.ParseDuration takes in whole numbers, and longer units.
 * @returns milliseconds, or undefined when the text is not a positive length of time that a date can hold
 */
export function parseDuration(text: string): number | undefined {
  if (!whole.test(text)) return undefined;
  const parts = [...text.matchAll(part)].map(([, count, unit]) => Number(count) * unitMs[unit as keyof typeof unitMs]);
  const ms = parts.reduce((sum, each) => sum + each);
  return ms > 0 && ms <= 100 * unitMs.y ? ms : undefined;
}

/** The words for a length of time that `parseDuration` does not take. */
export const durationWords = 'must be a length of time such as 90s, 1h30m, 90d or 10y, at most 100y';
