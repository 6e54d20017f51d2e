import { required, type Wrong, wrong } from './faults.ts';
import type { Kind, Obj } from './types.ts';

/** A rule for names with its words (k8s.io/apimachinery/pkg/util/validation/validation.go). */
export interface Rule {
  readonly pattern: string;
  readonly longest: number;
  readonly words: string;
}

const ends = 'must start and end with an alphanumeric character';
/** Words for a rule, with its pattern and what fits it. */
export const regex = (words: string, pattern: string, ...examples: string[]): string =>
  `${words} (e.g. ${examples.map((each) => `'${each}'`).join(',  or ')}, regex used for validation is '${pattern}')`;

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const dns1123Label: Rule = {
  pattern: label,
  longest: 63,
  words: regex(
    `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and ${ends}`,
    label,
    'my-name',
    '123-abc',
  ),
};
const subdomain = `${label}(\\.${label})*`;
export const dns1123Subdomain: Rule = {
  pattern: subdomain,
  longest: 253,
  words: regex(
    `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and ${ends}`,
    subdomain,
    'example.com',
  ),
};
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const charactersOfNames = `must consist of alphanumeric characters, '-', '_' or '.', and ${ends}`;
const namePart: Rule = { pattern: qualified, longest: 63, words: regex(charactersOfNames, qualified, 'MyName', 'my.name', '123-abc') };
const labelValue: Rule = {
  pattern: `(${qualified})?`,
  longest: 63,
  words: regex(
    `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and ${ends}`,
    `(${qualified})?`,
    'MyValue',
    'my_value',
    '12345',
  ),
};
const dataKey: Rule = {
  pattern: '[-._a-zA-Z0-9]+',
  longest: 253,
  words: regex(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    '[-._a-zA-Z0-9]+',
    'key.name',
    'KEY_NAME',
    'key-name',
  ),
};

/** What is wrong with a text by a rule. */
export const breaks = ({ pattern, longest, words }: Rule, text: string): string[] => [
  ...(text.length > longest ? [`must be no more than ${longest} characters`] : []),
  ...(new RegExp(`^(?:${pattern})$`).test(text) ? [] : [words]),
];

/** Kinds whose names stand in a DNS name, and those whose names may be anything that fits into a path. */
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

/** What is wrong with the metadata of an object (k8s.io/apimachinery/pkg/api/validation/objectmeta.go). */
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

/** What is wrong with the keys of a ConfigMap or Secret. */
export const dataFaults = (data: Obj = {}): Wrong[] =>
  Object.keys(data).flatMap((key) => breaks(dataKey, key).map((each) => wrong(`data[${key}]`, key, each)));
