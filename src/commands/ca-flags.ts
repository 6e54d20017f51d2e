import { UsageError } from '../errors.ts';
import { loadAuthority } from '../pki/authority.ts';
import { PassphraseNeeded } from '../pki/keys.ts';
import type { Authority } from '../pki/types.ts';
import { readPem, readText } from '../project/project.ts';
import type { Terminal } from './terminal.ts';

export interface CaFlags {
  readonly caCert?: string;
  readonly caKey?: string;
  readonly caKeyPassphraseFile?: string;
  readonly caKeyPassphraseEnv?: string;
}

/**
 * Loads the CA that the flags name, if any. A passphrase comes from a file, an environment variable or a
 * prompt, but never from an argument, which every user of the machine can read.
 * @throws UsageError, see `loadAuthority`
 */
export async function authorityFromFlags(flags: CaFlags, terminal: Terminal, now: Date): Promise<Authority | undefined> {
  const { caCert, caKey } = flags;
  if (caCert === undefined && caKey === undefined) return undefined;
  if (caCert === undefined || caKey === undefined) throw new UsageError(caCert ? '--ca-cert needs --ca-key' : '--ca-key needs --ca-cert');
  const certificates = readPem(caCert);
  const key = readPem(caKey);
  const passphrase = passphraseFromFlags(flags, terminal);
  try {
    return loadAuthority({ certificates, key, now, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (error) {
    if (!(error instanceof PassphraseNeeded)) throw error;
    const question = {
      message: `Passphrase of ${caKey}`,
      flag: '--ca-key-passphrase-file FILE or --ca-key-passphrase-env NAME',
      secret: true,
    };
    return loadAuthority({ certificates, key, now, passphrase: await terminal.ask(question) });
  }
}

function passphraseFromFlags({ caKeyPassphraseFile: file, caKeyPassphraseEnv: variable }: CaFlags, { env }: Terminal): string | undefined {
  if (file !== undefined && variable !== undefined)
    throw new UsageError('--ca-key-passphrase-file and --ca-key-passphrase-env cannot be used together');
  // Editors add a line end that is not part of the passphrase.
  if (file !== undefined) return readText(file).replace(/\r?\n$/, '');
  if (variable === undefined) return undefined;
  const value = env[variable];
  if (value === undefined) throw new UsageError(`--ca-key-passphrase-env: environment variable ${variable} is not set`);
  return value;
}
