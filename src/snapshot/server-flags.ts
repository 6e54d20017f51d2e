import { textOf } from './views.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object; every field read below is checked or defaulted.
type Json = any;

/** A container of a pod, as Kubernetes writes it. */
export type Container = Json;

/**
 * Flags with a value that checks read, or by which a server made with k8s.io/apiserver is known (its pkg/server/options: serving.go, authentication.go,
 * authorization.go). All others stay unseen: arguments may hold passwords.
 */
const valued =
  /^(secure-port|cert-dir|client-ca-file|tls-(cert|private-key)-file|requestheader-(client-ca-file|allowed-names|username-headers|uid-headers|group-headers|extra-headers-prefix)|(authentication|authorization)-kubeconfig|authorization-always-allow-paths)$/;
/** Those that are switches, and take a value after `=` alone. */
const switches = /^authentication-(skip-lookup|tolerate-lookup-failure)$/;

/** `--name=value` or `--name` of one container, however they were written: in one argument, in two, or in the line of a shell. */
export const flagsOf = ({ command, args }: Container): string[] => readFlags([...texts(command), ...texts(args)].flatMap(wordsOf));

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

/** Paths of the files that a server is given as its certificate and key. */
export interface CertificateFiles {
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

/**
 * Which files the flags of a server name. `--cert-dir` is searched only where neither of the two is named, for a pair that is called apiserver
 * (k8s.io/apiserver/pkg/server/options/serving.go, NewSecureServingOptions and MaybeDefaultWithSelfSignedCerts).
 */
export function certificateFiles(flags: readonly string[]): CertificateFiles {
  const named = { certificate: flagValue(flags, 'tls-cert-file'), key: flagValue(flags, 'tls-private-key-file') };
  const folder = flagValue(flags, 'cert-dir')?.replace(/\/+$/, '');
  if (folder === undefined || named.certificate !== undefined || named.key !== undefined) return named;
  return { certificate: `${folder}/apiserver.crt`, key: `${folder}/apiserver.key` };
}
