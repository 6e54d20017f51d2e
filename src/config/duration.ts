const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, y: 365 * 86_400_000 } as const;

const pattern = /^(\d+)(s|m|h|d|y)$/;

/**
 * Reads a length of time such as `90s`, `2m`, `12h`, `90d` or `10y` (a year is 365 days).
 * @returns milliseconds, or undefined when the text is not a positive length of time that a date can hold
 */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = pattern.exec(text) ?? [];
  if (!count || !unit) return undefined;
  const ms = Number(count) * unitMs[unit as keyof typeof unitMs];
  return ms > 0 && ms <= 100 * unitMs.y ? ms : undefined;
}

/** The words for a length of time that `parseDuration` does not take. */
export const durationWords = 'must be a length of time such as 90s, 12h, 90d or 10y, at most 100y';
