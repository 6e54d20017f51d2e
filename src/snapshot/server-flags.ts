import type { KubeObject } from '../manifests/types.ts';
import { type Json, listOf, textOf } from './views.ts';

/** A container of a pod, as Kubernetes writes it. */
export type Container = Json;

/** The containers of a pod, without its init containers. */
export const containersOf = ({ spec }: KubeObject & Json): readonly Container[] => listOf(spec?.containers);

/**
 * Flags with a value that checks read, or that identify a server built with k8s.io/apiserver (its
 * pkg/server/options: serving.go, authentication.go, authorization.go). No other flag is kept,
 * because arguments may contain passwords.
 */
const valued =
  /^(secure-port|cert-dir|client-ca-file|tls-(cert|private-key)-file|requestheader-(client-ca-file|allowed-names|username-headers|uid-headers|group-headers|extra-headers-prefix)|(authentication|authorization)-kubeconfig|authorization-always-allow-paths)$/;
/** Boolean flags, which take a value only after `=`. */
const switches = /^authentication-(skip-lookup|tolerate-lookup-failure)$/;

/**
 * The flags of a container as `--name=value` or `--name`, whether in one argument, in two, or in a
 * shell command line.
 */
export const flagsOf = (container: Container): string[] => readFlags(wordsOf(container));

/** The words of the command line of a container, as far as its manifest has them. */
export function wordsOf(container: Container): string[] {
  const variables = new Map(variablesOf(container));
  return [...texts(container.command), ...texts(container.args)].flatMap((text) => splitWords(expand(text, variables)));
}

/** The environment variables with a value in the manifest. */
export const variablesOf = ({ env }: Container): (readonly [name: string, value: string])[] =>
  listOf(env).flatMap(({ name, value }) => (typeof value === 'string' ? [[textOf(name), value] as const] : []));

/**
 * Expands `$(NAME)` as the kubelet does, except that `$$` stays
 * (k8s.io/kubernetes/third_party/forked/golang/expansion).
 */
const expand = (text: string, variables: ReadonlyMap<string, string>): string =>
  text.replace(/(?<!\$)\$\(([^()]+)\)/g, (whole, name: string) => variables.get(name) ?? whole);

const texts = (value: Json): string[] => (Array.isArray(value) ? value.map(textOf) : []);

/** An argument is one word, unless it is a shell script. */
const splitWords = (text: string): string[] => (/^--[\w-]+=/.test(text) ? [text] : text.split(/\s+/).filter((word) => word !== ''));

/**
 * In names of flags, `_` is the same as `-` (k8s.io/component-base/cli/flag, WordSepNormalizeFunc).
 */
function readFlags(words: readonly string[]): string[] {
  return words.flatMap((word, index) => {
    const [, written = '', value] = /^--?([a-z0-9_-]+)(?:=(.*))?$/s.exec(word) ?? [];
    const name = written.replaceAll('_', '-');
    if (switches.test(name)) return [value === undefined ? `--${name}` : `--${name}=${value}`];
    if (!valued.test(name)) return [];
    const given = value ?? words[index + 1];
    return given === undefined || (value === undefined && given.startsWith('-')) ? [] : [`--${name}=${unquoted(given)}`];
  });
}

const unquoted = (value: string): string => /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;

/** The value of a flag. The last one wins, as in pflag. */
export const flagValue = (flags: readonly string[], name: string): string | undefined =>
  flags.findLast((flag) => flag.startsWith(`--${name}=`))?.slice(name.length + 3);

/** Paths of the certificate and key of a server. */
export interface CertificateFiles {
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

/**
 * The certificate and key files that the flags of a server name. `--cert-dir` counts only where
 * neither file is named; its pair is called apiserver
 * (k8s.io/apiserver/pkg/server/options/serving.go, NewSecureServingOptions and
 * MaybeDefaultWithSelfSignedCerts).
 */
export function certificateFiles(flags: readonly string[]): CertificateFiles {
  const named = { certificate: flagValue(flags, 'tls-cert-file'), key: flagValue(flags, 'tls-private-key-file') };
  const folder = flagValue(flags, 'cert-dir')?.replace(/\/+$/, '');
  if (folder === undefined || named.certificate !== undefined || named.key !== undefined) return named;
  return { certificate: `${folder}/apiserver.crt`, key: `${folder}/apiserver.key` };
}
