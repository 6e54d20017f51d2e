import { printable } from '../pki/printable.ts';

/** The `exec` section of a user (k8s.io/client-go/tools/clientcmd/api/v1/types.go, ExecConfig). */
export interface ExecConfig {
  readonly apiVersion?: string;
  readonly command?: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly provideClusterInfo?: boolean;
  readonly installHint?: string;
  readonly interactiveMode?: string;
}

/** A field of a kubeconfig has the wrong type. */
export class WrongField extends Error {
  constructor(
    readonly path: string,
    problem: string,
    readonly fix?: string,
  ) {
    super(`${path} ${problem}`);
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** A named cluster, user or context. */
export interface Entry {
  readonly name: string;
  readonly fields: Fields;
}

/** lists: lists of strings by name. named: a list of entries with unique names. */
type Type = 'string' | 'boolean' | 'base64' | 'strings' | 'lists' | 'named' | Readonly<Record<string, unknown>>;

const exec = {
  command: 'string',
  args: 'strings',
  apiVersion: 'string',
  installHint: 'string',
  provideClusterInfo: 'boolean',
  interactiveMode: 'string',
};

/** The fields that apisvc reads (k8s.io/client-go/tools/clientcmd/api/v1/types.go). */
const types = {
  cluster: {
    server: 'string',
    'tls-server-name': 'string',
    'insecure-skip-tls-verify': 'boolean',
    'certificate-authority': 'string',
    'certificate-authority-data': 'base64',
    'proxy-url': 'string',
    'disable-compression': 'boolean',
    extensions: 'named',
  },
  user: {
    'client-certificate': 'string',
    'client-certificate-data': 'base64',
    'client-key': 'string',
    'client-key-data': 'base64',
    token: 'string',
    tokenFile: 'string',
    username: 'string',
    password: 'string',
    as: 'string',
    'as-uid': 'string',
    'as-groups': 'strings',
    'as-user-extra': 'lists',
    'auth-provider': { name: 'string', config: {} },
    exec,
  },
  context: { cluster: 'string', user: 'string', namespace: 'string' },
} satisfies Record<string, Record<string, Type>>;

/**
 * The named entries of a kubeconfig, with checked types.
 * @param data - the parsed file
 * @throws WrongField
 */
export function entriesOf(data: unknown): {
  readonly clusters: readonly Entry[];
  readonly users: readonly Entry[];
  readonly contexts: readonly Entry[];
  readonly currentContext: string;
} {
  const fix = 'Set --kubeconfig or KUBECONFIG to a kubeconfig file.';
  if (!isObject(data)) throw new WrongField('the file', `must be a mapping, not ${typeName(data)}`, fix);
  const config = data;
  const { apiVersion = 'v1', kind = 'Config', clusters, users, contexts } = config;
  // Both default, as in kubectl.
  if ((apiVersion ?? 'v1') !== 'v1' || (kind ?? 'Config') !== 'Config') {
    throw new WrongField('the file', `contains kind ${quoted(kind)} of ${quoted(apiVersion)}, not kind "Config" of "v1"`, fix);
  }
  checkType(config['current-context'], 'string', 'current-context');
  return {
    clusters: namedAt(clusters, 'clusters', 'cluster'),
    users: namedAt(users, 'users', 'user'),
    contexts: namedAt(contexts, 'contexts', 'context'),
    currentContext: nameOf(config['current-context']),
  };
}

/** A name that is safe in a line of a message. */
export const nameOf = (value: unknown): string => printable((value as string | null | undefined) ?? '');

/** The words of a scalar in an error. */
const quoted = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : typeName(value));

function namedAt(list: unknown, path: string, key: keyof typeof types): Entry[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new WrongField(path, `must be a list, not ${typeName(list)}`);
  const entries = list.map((item, index) => {
    const at = `${path}[${index}]`;
    const { name, [key]: fields } = objectAt(item, at);
    checkType(name, 'string', `${at}.name`);
    const entry = { name: nameOf(name), fields: objectAt(fields ?? {}, `${at}.${key}`) };
    checkFields(entry.fields, types[key], `${at}.${key}`);
    return entry;
  });
  refuseDuplicate(
    entries.map(({ name }) => name),
    path,
  );
  return entries;
}

function checkFields(fields: Fields, of: Readonly<Record<string, unknown>>, path: string): void {
  for (const [field, type] of Object.entries(of)) {
    const value = fields[field];
    if (value === undefined || value === null) continue;
    const at = `${path}.${field}`;
    if (typeof type !== 'object') checkType(value, type as Type, at);
    else checkFields(objectAt(value, at), type as Fields, at);
    if (field === 'exec') checkEnv((value as Fields).env, `${at}.env`);
  }
}

function checkEnv(env: unknown, path: string): void {
  if (env === undefined || env === null) return;
  if (!Array.isArray(env)) throw new WrongField(path, `must be a list, not ${typeName(env)}`);
  for (const [index, item] of env.entries()) {
    const { name, value } = objectAt(item, `${path}[${index}]`);
    checkType(name, 'string', `${path}[${index}].name`);
    checkType(value, 'string', `${path}[${index}].value`);
  }
}

function checkNames(list: unknown, path: string): void {
  if (!Array.isArray(list)) throw new WrongField(path, `must be a list, not ${typeName(list)}`);
  const names = list.map((item, index) => {
    const { name } = objectAt(item, `${path}[${index}]`);
    checkType(name, 'string', `${path}[${index}].name`);
    return name ?? '';
  });
  refuseDuplicate(names, path);
}

function refuseDuplicate(names: readonly unknown[], path: string): void {
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice === undefined) return;
  throw new WrongField(path, `has two entries with the name ${quoted(twice)}`, 'Remove or rename one of them.');
}

function checkType(value: unknown, type: Type, path: string): void {
  if (value === undefined || value === null) return;
  if (type === 'strings') {
    if (!Array.isArray(value)) throw new WrongField(path, `must be a list of strings, not ${typeName(value)}`);
    for (const [index, item] of value.entries()) checkType(item, 'string', `${path}[${index}]`);
    return;
  }
  if (type === 'lists') {
    for (const [key, list] of Object.entries(objectAt(value, path))) checkType(list, 'strings', `${path}.${key}`);
    return;
  }
  if (type === 'named') {
    checkNames(value, path);
    return;
  }
  const wanted = type === 'base64' ? 'string' : type;
  if (typeof value !== wanted) {
    const fix = wanted === 'string' && typeof value !== 'object' ? `Put the value of ${path} in quotes.` : undefined;
    throw new WrongField(path, `must be a ${wanted}, not ${typeName(value)}`, fix);
  }
  if (type === 'base64' && !isBase64(value as string)) {
    throw new WrongField(
      path,
      'is not valid base64',
      `Replace ${path} with the base64-encoded file, or log in again to get a new kubeconfig.`,
    );
  }
}

/** encoding/base64 StdEncoding ignores line ends. */
function isBase64(value: string): boolean {
  const packed = value.replace(/[\r\n]/g, '');
  return packed.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(packed);
}

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

function objectAt(value: unknown, path: string): Fields {
  if (isObject(value)) return value;
  throw new WrongField(path, `must be a mapping, not ${typeName(value)}`);
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return (
    { object: 'a mapping', boolean: 'a boolean', number: 'a number', string: 'a string' }[typeof value as string] ?? `a ${typeof value}`
  );
}
