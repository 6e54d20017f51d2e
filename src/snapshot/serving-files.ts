import { entryAt, mountsAt, type SecretMount } from './secret-mounts.ts';
import { type Container, variablesOf, wordsOf } from './server-flags.ts';

/**
 * The serving certificate of a server that has none of the flags of k8s.io/apiserver: what other
 * flags and variables say about files in mounted Secrets.
 */

/** A file or a directory of a mounted Secret that a flag or a variable names. */
export interface NamedFile {
  readonly secret: string;
  /** Undefined for a directory. */
  readonly entry: string | undefined;
  readonly role: 'certificate' | 'key';
}

/** Names of certificates that a server does not serve, or does not serve to kube-apiserver. */
const otherUse =
  /(^|-)(m-?tls|client|etcd|kubelet|webhook|proxy|upstream|peer|redis|db|database|oidc|jwt|metrics-(tls-)?cert|root|ca|cacert|trusted|service-account)(-|$)/;
/** The usual names of the flags and variables for a serving certificate, or its directory. */
const certificateName =
  /^(.+-)?(tls|ssl|serving|server|https)-?(certs?|crt|certificates?|pem)(-?(file|path|name|dir|directory|folder))?$|^(certs?|crt|certificates?)(-?(file|path|dir|directory|folder))?$|^(tls|ssl)-?(dir|directory|folder|path)$/;
const keyName = /^(.+-)?(tls|ssl|serving|server|https)-?(private-?)?key(-?(file|path|name))?$|^(private-?)?key(-?(file|path))?$/;

/**
 * The files of mounted Secrets whose flag or variable has a usual name, e.g. `--cert=/certs/a.crt`
 * or `TLS_KEY_FILE=/certs/a.key`.
 */
export const namedFiles = (container: Container, mounts: readonly SecretMount[]): NamedFile[] =>
  settingsOf(container).flatMap(([written, path]): NamedFile[] => {
    const name = written.toLowerCase().replaceAll(/[_.]/g, '-');
    if (otherUse.test(name)) return [];
    const role = keyName.test(name) ? 'key' : certificateName.test(name) ? 'certificate' : undefined;
    return role === undefined ? [] : fileAt(mounts, path.replace(/(?<=.)\/+$/, '')).map((file) => ({ ...file, role }));
  });

/** Names and values of flags and variables. */
function settingsOf(container: Container): (readonly [name: string, value: string])[] {
  const words = wordsOf(container);
  const flags = words.flatMap((word, index): (readonly [string, string])[] => {
    const [, name, value = words[index + 1]] = /^--?([\w.-]+)(?:=(.*))?$/s.exec(word) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value]];
  });
  return [...flags, ...variablesOf(container)];
}

function fileAt(mounts: readonly SecretMount[], path: string): readonly Omit<NamedFile, 'role'>[] {
  const file = entryAt(mounts, path);
  if (file) return [file];
  return mountsAt(mounts, path)
    .filter(({ mountPath }) => mountPath === path)
    .map(({ name }) => ({ secret: name, entry: undefined }));
}
