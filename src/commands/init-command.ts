import { shellWord } from '../config/shell-word.ts';
import type { CompleteFlags } from './new-configuration.ts';

/** The flags of `init` that describe the project, by their keys. */
export const flagNames: { readonly [Key in Exclude<keyof CompleteFlags, 'yes' | 'nameConstraints'>]-?: string } = {
  preset: '--preset',
  api: '--api',
  image: '--image',
  name: '--name',
  namespace: '--namespace',
  service: '--service',
  keyType: '--key-type',
  lifetime: '--lifetime',
  caLifetime: '--ca-lifetime',
  caKeyIn: '--ca-key-in',
  dns: '--dns',
  ip: '--ip',
  clusterDomain: '--cluster-domain',
  issuer: '--issuer',
  issuerRef: '--issuer-ref',
  issuerKind: '--issuer-kind',
  signer: '--signer',
  caBundle: '--ca-bundle',
  clusterTrustBundle: '--cluster-trust-bundle',
  caCert: '--ca-cert',
  caKey: '--ca-key',
  caKeyPassphraseFile: '--ca-key-passphrase-file',
  caKeyPassphraseEnv: '--ca-key-passphrase-env',
  force: '--force',
  forceKeys: '--force-keys',
};

/**
 * The `init` command that makes the same project. It prompts only for a passphrase that no flag
 * gives.
 */
export function initCommand(dir: string, flags: CompleteFlags): string {
  const words = Object.entries(flagNames).flatMap(([key, name]) => {
    const value = flags[key as keyof typeof flagNames];
    if (value === undefined || value === false) return [];
    return value === true ? [name] : [value].flat().flatMap((each) => [name, shellWord(String(each))]);
  });
  return [
    'apisvc init',
    ...(dir === '.' ? [] : [shellWord(dir)]),
    ...words,
    ...(flags.nameConstraints ? [] : ['--no-name-constraints']),
  ].join(' ');
}
