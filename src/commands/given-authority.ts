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
 * The CA that the flags name, if any. A passphrase comes from a file or an environment variable, or is asked for; never from an argument, which
 * everyone on the machine can read.
 * @throws UsageError, see `loadAuthority`
 */
export async function givenAuthority(flags: CaFlags, terminal: Terminal, now: Date): Promise<Authority | undefined> {
  const { caCert, caKey } = flags;
  if (caCert === undefined && caKey === undefined) return undefined;
  if (caCert === undefined || caKey === undefined)
    throw new UsageError(`${caCert ? '--ca-cert needs --ca-key' : '--ca-key needs --ca-cert'}: a CA is both`);
  const certificates = readPem(caCert);
  const key = readPem(caKey);
  const passphrase = givenPassphrase(flags, terminal);
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

function givenPassphrase({ caKeyPassphraseFile: file, caKeyPassphraseEnv: variable }: CaFlags, { env }: Terminal): string | undefined {
  if (file !== undefined && variable !== undefined)
    throw new UsageError('--ca-key-passphrase-file and --ca-key-passphrase-env exclude each other');
  // Editors end a file with a line end that is no part of the passphrase.
  if (file !== undefined) return readText(file).replace(/\r?\n$/, '');
  if (variable === undefined) return undefined;
  const value = env[variable];
  if (value === undefined) throw new UsageError(`environment variable ${variable} is not set (--ca-key-passphrase-env)`);
  return value;
}
