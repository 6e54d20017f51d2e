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

/** Which durations a setting accepts. */
export interface DurationLimits {
  readonly isAllowed: (ms: number) => boolean;
  /** The message for one that is not allowed. */
  readonly rule: string;
}

const noLimits: DurationLimits = { isAllowed: () => true, rule: durationMessage };

/** Why a text is not an accepted duration; undefined when it is one. */
export function durationFault(text: string, limits: DurationLimits = noLimits): string | undefined {
  const ms = parseDuration(text);
  if (ms !== undefined) return limits.isAllowed(ms) ? undefined : limits.rule;
  if (/^(?:0+(?:ms|s|m|h|d|y))*0*$/.test(text) && text !== '') return 'must be longer than 0';
  return /^\d+$/.test(text) ? unitMissing(text, limits) : durationMessage;
}

/** The message for a number without a unit: the units that make it an accepted duration. */
export function unitMissing(number: string, limits: DurationLimits = noLimits): string {
  const accepted = ['s', 'm', 'h', 'd'].map((unit) => number + unit).filter((text) => durationFault(text, limits) === undefined);
  const last = accepted.pop();
  if (last === undefined) return limits.rule;
  return `has no unit; write ${accepted.length > 0 ? `${accepted.join(', ')} or ` : ''}${last}`;
}

/** A duration in words, in hours, minutes and seconds: `1h30m`, or `0.5s`. */
export function durationText(ms: number): string {
  const parts = { h: Math.floor(ms / 3_600_000), m: Math.floor(ms / 60_000) % 60, s: (ms % 60_000) / 1_000 };
  return Object.entries(parts)
    .flatMap(([unit, count]) => (count > 0 ? [`${count}${unit}`] : []))
    .join('');
}
