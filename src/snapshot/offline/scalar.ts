/**
 * The value of a plain scalar as sigs.k8s.io/yaml reads it, which kubectl uses: YAML 1.1 as in
 * go.yaml.in/yaml/v2, resolve.go. Timestamps stay strings, as there.
 */
export function plainValue(text: string): string | number | boolean | null {
  const known = words.get(text);
  if (known !== undefined) return known;
  const [first = ''] = text;
  if (first === '.') return floatPattern.test(text) ? Number(text) : text;
  return /[-+\d]/.test(first) ? (numberOf(text) ?? text) : text;
}

const words: ReadonlyMap<string, number | boolean | null> = new Map<string, number | boolean | null>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, Number.NEGATIVE_INFINITY] as const),
]);

const floatPattern = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;

/** The integers of Go's strconv.ParseInt with base 0, after underscores are removed. */
const radixes = [
  [/^[-+]?0[bB]([01]+)$/, 2],
  [/^[-+]?0[oO]?([0-7]+)$/, 8],
  [/^[-+]?0[xX]([\da-fA-F]+)$/, 16],
  [/^[-+]?(0|[1-9]\d*)$/, 10],
] as const;

function numberOf(text: string): number | undefined {
  const plain = text.replaceAll('_', '');
  for (const [pattern, radix] of radixes) {
    const digits = pattern.exec(plain)?.[1];
    if (digits !== undefined) return Number.parseInt(digits, radix) * (plain.startsWith('-') ? -1 : 1);
  }
  return floatPattern.test(plain) ? Number(plain) : undefined;
}
