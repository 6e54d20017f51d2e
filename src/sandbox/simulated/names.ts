import { required, type Wrong, wrong } from './faults.ts';
import type { Kind, Obj } from './types.ts';

/** A rule for names with its words (k8s.io/apimachinery/pkg/util/validation/validation.go). */
interface Rule {
  readonly pattern: string;
  readonly longest: number;
  readonly words: string;
}

/** @param words - what a text must be @param examples - what fits */
export const rule = (words: string, pattern: string, longest: number, ...examples: string[]): Rule => {
  const fitting = examples.map((each) => `'${each}'`).join(',  or ');
  return { pattern, longest, words: `${words} (e.g. ${fitting}, regex used for validation is '${pattern}')` };
};

const ends = 'must start and end with an alphanumeric character';
const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const labelWords = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and ${ends}`;
const dns1123Label = rule(labelWords, label, 63, 'my-name', '123-abc');
const subdomainWords = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and ${ends}`;
export const dns1123Subdomain = rule(subdomainWords, `${label}(\\.${label})*`, 253, 'example.com');
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const characters = `consist of alphanumeric characters, '-', '_' or '.', and ${ends}`;
const namePart = rule(`must ${characters}`, qualified, 63, 'MyName', 'my.name', '123-abc');
const valueWords = `a valid label must be an empty string or ${characters}`;
const labelValue = rule(valueWords, `(${qualified})?`, 63, 'MyValue', 'my_value', '12345');

/** What is wrong with a text by a rule. */
export const breaks = ({ pattern, longest, words }: Rule, text: string): string[] => [
  ...(text.length > longest ? [`must be no more than ${longest} characters`] : []),
  ...(new RegExp(`^(?:${pattern})$`).test(text) ? [] : [words]),
];

/**
 * Kinds whose names stand in a DNS name, and those whose names may be anything that fits into a
 * path.
 */
const labelNames = ['Namespace', 'Service'];
const pathNames = ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding', 'APIService'];

function nameFaults({ kind }: Kind, name: string): string[] {
  if (pathNames.includes(kind)) return ['/', '%'].filter((sign) => name.includes(sign)).map((sign) => `may not contain '${sign}'`);
  if (!labelNames.includes(kind)) return breaks(dns1123Subdomain, name);
  return name.includes('.') && breaks(dns1123Label, name).length > 0 ? ['must not contain dots'] : breaks(dns1123Label, name);
}

/** The key of a label or annotation: a name, perhaps after a domain and a slash. */
function qualifiedFaults(key: string): string[] {
  const [name = '', prefix, ...more] = key.split('/').reverse();
  if (more.length > 0)
    return [`a valid label key ${namePart.words} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const prefixFaults =
    prefix === undefined
      ? []
      : prefix === ''
        ? ['prefix part must be non-empty']
        : breaks(dns1123Subdomain, prefix).map((each) => `prefix part ${each}`);
  return [...prefixFaults, ...(name === '' ? ['name part must be non-empty'] : breaks(namePart, name).map((each) => `name part ${each}`))];
}

/**
 * What is wrong with the metadata of an object
 * (k8s.io/apimachinery/pkg/api/validation/objectmeta.go).
 */
export function metadataFaults(kind: Kind, { metadata }: Obj): Wrong[] {
  const { name = '', labels = {}, annotations = {} } = metadata;
  return [
    ...(name === ''
      ? [required('metadata.name', 'name or generateName is required')]
      : nameFaults(kind, name).map((each) => wrong('metadata.name', name, each))),
    ...Object.entries<string>(labels).flatMap(([key, value]) => [
      ...qualifiedFaults(key).map((each) => wrong('metadata.labels', key, each)),
      ...breaks(labelValue, value).map((each) => wrong('metadata.labels', value, each)),
    ]),
    ...Object.keys(annotations).flatMap((key) =>
      qualifiedFaults(key.toLowerCase()).map((each) => wrong('metadata.annotations', key, each)),
    ),
  ];
}
