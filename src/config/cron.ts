/** A field of a schedule: its limits, and names of its values, the first of which is `min`. */
interface Field {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const fields: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

const macros = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

/** Go's time.ParseDuration. */
const goDuration = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|[µμ]s|ms|s|m|h))+)$/;

/**
 * Why kube-apiserver refuses the schedule of a new CronJob, in its words except for an empty one;
 * undefined when it accepts it (github.com/robfig/cron/v3, parser.go, ParseStandard, and
 * k8s.io/kubernetes, pkg/apis/batch/validation, validateScheduleFormat).
 */
export function scheduleFault(schedule: string): string | undefined {
  if (schedule.includes('TZ')) return 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
  if (schedule.startsWith('@every ')) {
    return goDuration.test(schedule.slice('@every '.length)) ? undefined : `failed to parse duration ${schedule}`;
  }
  if (schedule.startsWith('@')) return macros.includes(schedule) ? undefined : `unrecognized descriptor: ${schedule}`;
  const texts = schedule.split(/\p{White_Space}+/u).filter((text) => text !== '');
  if (texts.length !== fields.length) return `expected exactly ${fields.length} fields, found ${texts.length}`;
  for (const [index, field] of fields.entries())
    for (const range of (texts[index] ?? '').split(',')) {
      const fault = range === '' ? undefined : rangeFault(range, field);
      if (fault !== undefined) return fault;
    }
  return undefined;
}

/** Like getRange of parser.go: `*`, `?`, `N` or `N-N`, each also with `/N`. */
function rangeFault(text: string, { min, max, names }: Field): string | undefined {
  const [values = '', step, ...steps] = text.split('/');
  const [low = '', high, ...more] = values.split('-');
  const isAll = low === '*' || low === '?';
  const valueIn = (given: string): number => {
    const index = names?.indexOf(given.toLowerCase()) ?? -1;
    return index < 0 ? numberIn(given) : min + index;
  };
  const start = isAll ? min : valueIn(low);
  if (Number.isNaN(start)) return `failed to parse int from ${low}`;
  if (more.length > 0 && !isAll) return `too many hyphens: ${text}`;
  const end = isAll || (high === undefined && step !== undefined) ? max : valueIn(high ?? low);
  if (Number.isNaN(end)) return `failed to parse int from ${high}`;
  if (steps.length > 0) return `too many slashes: ${text}`;
  if (step !== undefined && /^-0*[1-9]\d*$/.test(step)) return `negative number (${Number(step)}) not allowed: ${step}`;
  if (step !== undefined && Number.isNaN(numberIn(step))) return `failed to parse int from ${step}`;
  if (start < min) return `beginning of range (${start}) below minimum (${min}): ${text}`;
  if (end > max) return `end of range (${end}) above maximum (${max}): ${text}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  return step !== undefined && numberIn(step) === 0 ? `step of range should be a positive number: ${text}` : undefined;
}

/** NaN for a text that Go's strconv.Atoi refuses, and for a negative number. */
const numberIn = (text: string): number => (/^(?:\+?\d+|-0+)$/.test(text) && BigInt(text) < 2n ** 63n ? Number(BigInt(text)) : Number.NaN);
