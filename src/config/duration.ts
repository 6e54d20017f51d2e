const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, y: 365 * 86_400_000 } as const;

const part = /(\d+)(ms|s|m|h|d|y)/g;
const whole = new RegExp(`^(?:${part.source})+$`);

/**
 * Reads a duration such as `90s`, `500ms`, `1h30m`, `90d` or `10y` (a year has 365 days): the
 * syntax of Go's time.ParseDuration in whole numbers, with longer units.
 * @returns milliseconds, or undefined when the text is not a positive duration of at most 100 years
 */
export function parseDuration(text: string): number | undefined {
  if (!whole.test(text)) return undefined;
  const parts = [...text.matchAll(part)].map(([, count, unit]) => Number(count) * unitMs[unit as keyof typeof unitMs]);
  const ms = parts.reduce((sum, each) => sum + each);
  return ms > 0 && ms <= 100 * unitMs.y ? ms : undefined;
}

/** The message for a text that `parseDuration` does not accept. */
export const durationMessage = 'must be a duration such as 90s, 1h30m, 90d or 10y, at most 100y';

/** Why a text is not a duration; undefined when it is one. */
export function durationFault(text: string): string | undefined {
  if (parseDuration(text) !== undefined) return undefined;
  if (/^(?:0+(?:ms|s|m|h|d|y))*0*$/.test(text) && text !== '') return 'must be longer than 0';
  return /^\d+$/.test(text) ? unitMissing(text) : durationMessage;
}

/** The message for a number without a unit. */
export const unitMissing = (number: string): string => `has no unit; write ${number}s, ${number}m, ${number}h or ${number}d`;

/** A duration in words, in hours, minutes and seconds: `1h30m`, or `0.5s`. */
export function durationText(ms: number): string {
  const parts = { h: Math.floor(ms / 3_600_000), m: Math.floor(ms / 60_000) % 60, s: (ms % 60_000) / 1_000 };
  return Object.entries(parts)
    .flatMap(([unit, count]) => (count > 0 ? [`${count}${unit}`] : []))
    .join('');
}
