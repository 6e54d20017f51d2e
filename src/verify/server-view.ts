import type { KubeObject } from '../manifests/types.ts';
import type { ServerView } from './types.ts';
import { listOf, textOf } from './views.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object; every field read below is checked or defaulted.
type Json = any;

/**
 * Flags with a value that decide what a server listens on, which certificate it serves and whom it believes (k8s.io/apiserver/pkg/server/options: serving.go,
 * authentication.go, authorization.go). All others stay unseen: arguments may hold passwords.
 */
const valued =
  /^(bind-address|secure-port|cert-dir|client-ca-file|kubeconfig|lister-kubeconfig|tls-(cert-file|private-key-file|sni-cert-key|min-version|cipher-suites)|requestheader-(client-ca-file|allowed-names|username-headers|uid-headers|group-headers|extra-headers-prefix)|(authentication|authorization)-kubeconfig|authorization-always-allow-paths)$/;
/** Those that are switches, and take a value after `=` alone. */
const switches =
  /^(authentication-skip-lookup|authentication-tolerate-lookup-failure|anonymous-auth|disable-http2-serving|permit-address-sharing|permit-port-sharing)$/;

/** The one pod to look at: a ready one tells what works, otherwise one that runs. */
export function chooseServer(pods: readonly KubeObject[]): KubeObject | undefined {
  const rank = ({ metadata, status }: KubeObject & Json): number => {
    if (metadata.deletionTimestamp !== undefined) return 3;
    if (listOf(status?.conditions).some(({ type, status: is }) => type === 'Ready' && is === 'True')) return 0;
    return status?.phase === 'Running' ? 1 : 2;
  };
  return pods.toSorted((one, other) => rank(one) - rank(other))[0];
}

/** @param pod a Pod */
export function viewServer(pod: KubeObject & Json): ServerView {
  return {
    pod: pod.metadata.name,
    serviceAccount: textOf(pod.spec?.serviceAccountName) || 'default',
    flags: flagsOf(pod),
    secrets: secretMounts(pod).map(({ name, mountPath, subPath }) => ({ name, mountPath, subPath: subPath !== undefined })),
    startedAt: startedAt(pod),
  };
}

/** When the container with the certificate was started, which may be long after its pod was. */
function startedAt({ spec, status }: KubeObject & Json): string | undefined {
  const containers = listOf(spec?.containers);
  const serving = containers.find((container) => flagValue(flagsOf({ spec: { containers: [container] } }), 'tls-cert-file') !== undefined);
  const name = (serving ?? containers[0])?.name;
  const running = listOf(status?.containerStatuses).find((each) => each.name === name)?.state?.running;
  return textOf(running?.startedAt ?? status?.startTime) || undefined;
}

/** `--name=value` or `--name`, however they were written: in one argument, in two, or in the line of a shell. */
export function flagsOf({ spec }: Json): string[] {
  return listOf(spec?.containers).flatMap(({ command, args }) => readFlags([...texts(command), ...texts(args)].flatMap(wordsOf)));
}

const texts = (value: Json): string[] => (Array.isArray(value) ? value.map(textOf) : []);

/** An argument is one word, unless it is a script for a shell. */
const wordsOf = (text: string): string[] => (/^--[\w-]+=/.test(text) ? [text] : text.split(/\s+/).filter((word) => word !== ''));

function readFlags(words: readonly string[]): string[] {
  return words.flatMap((word, index) => {
    const [, name = '', value] = /^--?([a-z0-9-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (switches.test(name)) return [value === undefined ? `--${name}` : `--${name}=${value}`];
    if (!valued.test(name)) return [];
    const given = value ?? words[index + 1];
    return given === undefined || (value === undefined && given.startsWith('-')) ? [] : [`--${name}=${unquoted(given)}`];
  });
}

const unquoted = (value: string): string => /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;

/** The value of a flag; the last one counts, as for pflag. */
export const flagValue = (flags: readonly string[], name: string): string | undefined =>
  flags.findLast((flag) => flag.startsWith(`--${name}=`))?.slice(name.length + 3);

/** Where a Secret appears in the file system of a container. */
export interface SecretMount {
  readonly name: string;
  readonly mountPath: string;
  /** Only this file or folder of it is mounted. */
  readonly subPath: string | undefined;
  /** File names that differ from the entries, by file name; undefined where every entry is a file of its name. */
  readonly items: ReadonlyMap<string, string> | undefined;
}

/** Every mount of a Secret, also one that is a part of a projected volume. */
export function secretMounts({ spec }: KubeObject & Json): SecretMount[] {
  const sources = listOf(spec?.volumes).flatMap(({ name, secret, projected }) => [
    ...(secret ? [{ volume: name, name: textOf(secret.secretName), items: secret.items }] : []),
    ...listOf(projected?.sources).flatMap(({ secret: part }) =>
      part ? [{ volume: name, name: textOf(part.name), items: part.items }] : [],
    ),
  ]);
  const mounts = listOf(spec?.containers).flatMap(({ volumeMounts }) =>
    listOf(volumeMounts).flatMap(({ name: volume, mountPath, subPath, subPathExpr }) =>
      sources
        .filter((source) => source.volume === volume)
        .map(({ name, items }) => ({
          name,
          mountPath: textOf(mountPath).replace(/\/+$/, ''),
          subPath: subPath || subPathExpr ? textOf(subPath || subPathExpr) : undefined,
          items: Array.isArray(items) ? new Map(listOf(items).map(({ key, path }) => [textOf(path), textOf(key)])) : undefined,
        })),
    ),
  );
  const unique = new Map(mounts.map((mount) => [`${mount.name} ${mount.mountPath} ${mount.subPath ?? ''}`, mount]));
  return [...unique.values()];
}

/** Which entries of which Secret a server is given as its certificate and key. */
export interface CertificateSource {
  readonly secret: string;
  readonly certificateEntry: string;
  readonly keyEntry: string;
}

/**
 * Follows the flags of a server to the Secret that holds its certificate.
 * @returns undefined when no flag names a file, or the file is no part of a Secret
 */
export function certificateSource(pod: KubeObject): CertificateSource | undefined {
  const flags = flagsOf(pod);
  const folder = flagValue(flags, 'cert-dir');
  // A pair that --cert-dir is searched for is called apiserver (k8s.io/apiserver/pkg/server/options/serving.go, NewSecureServingOptions).
  const inFolder = (file: string): string | undefined => (folder === undefined ? undefined : `${folder.replace(/\/+$/, '')}/${file}`);
  const certificate = entryAt(pod, flagValue(flags, 'tls-cert-file') ?? inFolder('apiserver.crt'));
  if (!certificate) return undefined;
  const key = entryAt(pod, flagValue(flags, 'tls-private-key-file') ?? inFolder('apiserver.key'));
  return {
    secret: certificate.secret,
    certificateEntry: certificate.entry,
    keyEntry: key?.secret === certificate.secret ? key.entry : 'tls.key',
  };
}

/** The entry of a Secret that is a file at this path. */
function entryAt(pod: KubeObject, path: string | undefined): { secret: string; entry: string } | undefined {
  if (path === undefined) return undefined;
  for (const { name, mountPath, subPath, items } of secretMounts(pod)) {
    if (path !== mountPath && !path.startsWith(`${mountPath}/`)) continue;
    const file = [subPath, path.slice(mountPath.length + 1)].filter((part) => part !== undefined && part !== '').join('/');
    const entry = items ? items.get(file) : file;
    if (entry !== undefined && entry !== '' && !entry.includes('/')) return { secret: name, entry };
  }
  return undefined;
}
