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
export const flagsOf = ({ command, args }: Container): string[] => readFlags([...texts(command), ...texts(args)].flatMap(wordsOf));

const texts = (value: Json): string[] => (Array.isArray(value) ? value.map(textOf) : []);

/** An argument is one word, unless it is a shell script. */
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
