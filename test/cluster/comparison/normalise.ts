/** Replaces what differs between any two runs with placeholders. */

/** Addresses of a control plane and its backends. */
export interface Places {
  /** URL. */
  readonly server: string;
  /** The address at which servers of the steps listen. */
  readonly host: string;
}

// biome-ignore lint/suspicious/noExplicitAny: JSON.
type Json = any;

/** @returns the result with placeholders, without undefined values */
export function normalise(result: unknown, { server, host }: Places): unknown {
  const { host: serverHost, hostname, port } = new URL(server);
  const placeholders: readonly (readonly [RegExp, string])[] = [
    [literally(serverHost), '<server>'],
    [new RegExp(`${literally(host).source}(:\\d+)?`, 'g'), '<backend>'],
    [/127\.0\.0\.1:\d+/g, '<loopback>'],
    [literally(hostname), '<server address>'],
    [/\b10\.96\.\d+\.\d+\b/g, '<cluster IP>'],
    [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uid>'],
    [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>'],
    // A JSON Web Token, and PEM as base64 has it.
    [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<token>'],
    [/\bLS0tLS1CRUdJTi[\w+/=]+/g, '<PEM>'],
    [/-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----\n?/g, '<PEM>'],
    [/\bX509SHA256=[0-9a-f]{64}\b/g, '<fingerprint>'],
    // A resource version in a text: of an object as JSON, or in a message.
    [/(resourceVersion\\*":\\*"|in record \(|resource version: \d+, current: )\d+/g, '$1<resourceVersion>'],
    // The port of a Pod in a path.
    [/(pods\/(?:https?:)?[\w-]+:)\d{4,5}\b/g, '$1<port>'],
    // Go says which of its timers was first.
    [
      /(net\/http: request canceled( while waiting for connection)?|context deadline exceeded)( \(Client\.Timeout exceeded while awaiting headers\))?/g,
      '<timed out>',
    ],
  ];
  const text = (value: string): string => placeholders.reduce((said, [pattern, word]) => said.replace(pattern, word), value);
  const walk = (value: Json, key: string): Json => {
    if (typeof value === 'string') return key === 'resourceVersion' && /^\d+$/.test(value) ? '<resourceVersion>' : text(value);
    if (key === 'cells') return value.map((cell: Json) => (/^\d+s$/.test(cell) ? '<age>' : cell));
    if (Array.isArray(value)) return sorted(key, value).map((item) => walk(item, ''));
    if (key === 'targetPort' && value === Number(port)) return '<port of the server>';
    if (value === null || typeof value !== 'object') return value;
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(entries.map(([name, item]) => [text(name), walk(item, name)]));
  };
  return walk(result, '');
}

const literally = (value: string): RegExp => new RegExp(value.replace(/[.[\]]/g, '\\$&'), 'g');

/** Lists whose order tells nothing, in one that is always the same. */
function sorted(key: string, list: readonly Json[]): readonly Json[] {
  if (key === 'managedFields') return list.toSorted(byManager);
  // Those of one binding after the other, and bindings stand in no order.
  return /^(nonR|r)esourceRules$/.test(key)
    ? list.toSorted((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)))
    : list;
}

/**
 * Their order goes by time, to the second: two that were written one after the other may stand in
 * either order (k8s.io/apimachinery, managedfields/internal, sortEncodedManagedFields).
 */
const byManager = (one: Json, other: Json): number => keyOf(one).localeCompare(keyOf(other));
const keyOf = ({ manager, operation, subresource = '', apiVersion }: Json): string =>
  [manager, operation, subresource, apiVersion].join(' ');
