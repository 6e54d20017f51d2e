import { NotPermittedError, OutlivesAuthorityError } from '../pki/leaf.ts';
import { projectFiles } from '../project/project.ts';

interface WaysOut {
  /** The sentence that makes another CA. Default: the user has to. */
  readonly newAuthority?: string;
  /** How to get a certificate with a shorter lifetime; the end of a sentence. */
  readonly shorter: (lifetime: string) => string;
}

/** Rethrows an error. That of a CA that cannot issue the certificate gets the command's fix. */
export function explainShortAuthority(error: unknown, { newAuthority, shorter }: WaysOut): never {
  if (error instanceof NotPermittedError && newAuthority !== undefined)
    error.fix = `${newAuthority}\nOr remove the names from spec.certificates in apisvc.yaml.`;
  if (!(error instanceof OutlivesAuthorityError)) throw error;
  const { longestLifetime } = error;
  const end = longestLifetime === undefined ? undefined : shorter(longestLifetime);
  if (newAuthority !== undefined) error.fix = [newAuthority, ...(end ? [`Or ${end}`] : [])].join('\n');
  else error.fix = `Use a CA that expires later${end ? `, or ${end}` : '.'}`;
  throw error;
}

/** `shorter` for a project that exists. */
export const setLifetime =
  (dir: string) =>
  (lifetime: string): string =>
    `set spec.certificates.lifetime in ${projectFiles(dir).configuration} to at most ${lifetime}.`;
