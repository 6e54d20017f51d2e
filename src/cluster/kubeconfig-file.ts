import { dirname, isAbsolute, resolve } from 'node:path';
import type { Cluster, User } from '@kubernetes/client-node';
import { LineCounter, parseAllDocuments } from 'yaml';
import { fileFix, fileReason } from '../config/file-errors.ts';
import { readFile } from '../config/pipes.ts';
import { yamlReason } from '../config/yaml.ts';
import { UsageError } from '../errors.ts';
import { type Entry, type ExecConfig, entriesOf, nameOf, WrongField } from './kubeconfig-fields.ts';

/** A cluster of a kubeconfig, under the names of client-node. */
export interface ClusterEntry extends Cluster {
  readonly disableCompression?: boolean;
  /** What credential plugins are told about this cluster. */
  readonly execConfig?: unknown;
  /** Where proxyUrl comes from, if not from the kubeconfig: `HTTPS_PROXY`. */
  readonly proxyVariable?: string;
}

/** A user of a kubeconfig, with what client-node leaves out. */
export interface UserEntry extends User {
  readonly exec?: ExecConfig;
  readonly authProvider?: { readonly name?: string; readonly config?: Readonly<Record<string, string>> };
  readonly tokenFile?: string;
  readonly impersonateUid?: string;
  readonly impersonateGroups?: readonly string[];
  readonly impersonateExtra?: Readonly<Record<string, readonly string[]>>;
}

export interface ContextEntry {
  readonly name: string;
  readonly cluster: string;
  readonly user: string;
}

/** The content of a kubeconfig, whose parts need not fit together yet. */
export interface Kubeconfig {
  readonly clusters: readonly ClusterEntry[];
  readonly users: readonly UserEntry[];
  readonly contexts: readonly ContextEntry[];
  readonly currentContext: string;
}

/**
 * Reads one kubeconfig as kubectl does: YAML 1.1, unknown fields ignored, the last of a duplicate
 * key, the first of several documents, and an empty file as one without entries
 * (k8s.io/client-go/tools/clientcmd/loader.go, LoadFromFile). Relative paths start at the directory
 * of the file.
 * @throws UsageError when the file is unreadable or not a kubeconfig
 */
export function readKubeconfig(file: string): Kubeconfig {
  const data = parse(textOf(readBytes(file), file), file);
  try {
    return kubeconfigOf(data, dirname(file));
  } catch (error) {
    if (!(error instanceof WrongField)) throw error;
    throw new UsageError(`failed to read kubeconfig ${file}: ${error.message}`, { fix: error.fix ?? `Correct ${error.path} in ${file}.` });
  }
}

function readBytes(file: string): Buffer {
  try {
    return readFile(file);
  } catch (cause) {
    throw new UsageError(`failed to read kubeconfig ${file}: ${fileReason(cause)}`, {
      fix: fileFix('read', file, cause) ?? anotherFile,
      cause,
    });
  }
}

const anotherFile = 'Set --kubeconfig or KUBECONFIG to a kubeconfig file.';

/** Windows PowerShell redirects output to files in UTF-16, which kubectl reads too. */
function textOf(bytes: Buffer, file: string): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: YAML does not allow them.
    if (!/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)) return text;
  } catch {
    // Not UTF-8: a certificate, a keystore or an archive.
  }
  throw new UsageError(`failed to read kubeconfig ${file}: it is a binary file, not YAML`, { fix: anotherFile });
}

function parse(text: string, file: string): unknown {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, {
    version: '1.1',
    uniqueKeys: false,
    lineCounter,
    prettyErrors: false,
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || tag.tag !== 'tag:yaml.org,2002:timestamp'),
  });
  const document = 'empty' in documents ? undefined : documents[0];
  const [error] = document?.errors ?? [];
  if (error) {
    const { line } = lineCounter.linePos(error.pos[0]);
    throw new UsageError(`failed to read kubeconfig ${file}: yaml: line ${line}: ${yamlReason(error)}`, {
      fix: `Correct line ${line} of ${file}.`,
    });
  }
  try {
    return document?.toJS({ maxAliasCount: 100 }) ?? undefined;
  } catch (cause) {
    throw new UsageError(`failed to read kubeconfig ${file}: yaml: an alias cannot be expanded`, {
      cause,
      fix: `Replace the aliases in ${file} with their values.`,
    });
  }
}

function kubeconfigOf(data: unknown, directory: string): Kubeconfig {
  if (data === undefined) return { clusters: [], users: [], contexts: [], currentContext: '' };
  const { clusters, users, contexts, currentContext } = entriesOf(data);
  const absolute = (path: string | undefined): string | undefined => (path ? resolve(directory, path) : undefined);
  return {
    clusters: clusters.map((entry) => clusterOf(entry, absolute)),
    users: users.map((entry) => userOf(entry, absolute, directory)),
    contexts: contexts.map(({ name, fields }) => ({ name, cluster: nameOf(fields.cluster), user: nameOf(fields.user) })),
    currentContext,
  };
}

type Absolute = (path: string | undefined) => string | undefined;

const text = (value: unknown): string | undefined => (value as string | null | undefined) || undefined;

const clusterOf = ({ name, fields }: Entry, absolute: Absolute): ClusterEntry =>
  withoutUndefined({
    name,
    server: (text(fields.server) ?? '').replace(/(?<=[^/])\/$/, ''),
    skipTLSVerify: fields['insecure-skip-tls-verify'] === true,
    tlsServerName: text(fields['tls-server-name']),
    caFile: absolute(text(fields['certificate-authority'])),
    caData: text(fields['certificate-authority-data']),
    proxyUrl: text(fields['proxy-url']),
    disableCompression: fields['disable-compression'] === true || undefined,
    execConfig: execConfigOf(fields.extensions),
  });

/**
 * The reserved extension (k8s.io/client-go/tools/clientcmd/client_config.go, clusterExtensionKey).
 */
const execConfigOf = (extensions: unknown): unknown =>
  (extensions as readonly { name?: string | null; extension?: unknown }[] | null | undefined)?.find(
    ({ name }) => name === 'client.authentication.k8s.io/exec',
  )?.extension ?? undefined;

const userOf = ({ name, fields }: Entry, absolute: Absolute, directory: string): UserEntry =>
  withoutUndefined({
    name,
    certFile: absolute(text(fields['client-certificate'])),
    certData: text(fields['client-certificate-data']),
    keyFile: absolute(text(fields['client-key'])),
    keyData: text(fields['client-key-data']),
    token: text(fields.token),
    tokenFile: absolute(text(fields.tokenFile)),
    username: text(fields.username),
    password: text(fields.password),
    impersonateUser: text(fields.as),
    impersonateUid: text(fields['as-uid']),
    impersonateGroups: (fields['as-groups'] as string[] | null | undefined) ?? undefined,
    impersonateExtra: (fields['as-user-extra'] as UserEntry['impersonateExtra'] | null) ?? undefined,
    authProvider: (fields['auth-provider'] as UserEntry['authProvider'] | null) ?? undefined,
    exec: execOf(fields.exec as ExecConfig | null | undefined, directory),
  });

/** A relative path of a command starts at the kubeconfig; a bare name is found in PATH. */
function execOf(exec: ExecConfig | null | undefined, directory: string): ExecConfig | undefined {
  const { command } = exec ?? {};
  if (!exec || !command || isAbsolute(command) || !/[/\\]/.test(command)) return exec ?? undefined;
  return { ...exec, command: resolve(directory, command) };
}

const withoutUndefined = <T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } & T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
