import { UsageError } from '../errors.ts';
import { loadAuthority } from '../pki/authority.ts';
import { type CertificateFault, certificateFaultFix, certificateFaultText } from '../pki/certificate-faults.ts';
import type { Authority } from '../pki/types.ts';
import { readPem, readText } from '../project/read.ts';
import type { Terminal } from './terminal.ts';

export interface CaFlags {
  readonly caCert?: string;
  readonly caKey?: string;
  readonly caKeyPassphraseFile?: string;
  readonly caKeyPassphraseEnv?: string;
}

/**
 * Loads the CA that the flags name, if any. A passphrase comes from a file, an environment variable
 * or a prompt, but never from an argument, which every user of the machine can read.
 * @throws UsageError with every fault of the files
 */
export async function authorityFromFlags(flags: CaFlags, terminal: Terminal, now: Date): Promise<Authority | undefined> {
  const { caCert, caKey } = flags;
  if (caCert === undefined && caKey === undefined) return undefined;
  if (caCert === undefined || caKey === undefined)
    throw new UsageError(caCert ? '--ca-cert needs --ca-key' : '--ca-key needs --ca-cert', {
      fix: caCert ? 'Add --ca-key FILE.' : 'Add --ca-cert FILE.',
    });
  const files = { certificates: readPem(caCert), key: readPem(caKey), now };
  const passphrase = passphraseFromFlags(flags, terminal);
  const loaded = loadAuthority({ ...files, ...(passphrase === undefined ? {} : { passphrase }) });
  const { authority, faults } = needsOnlyPassphrase(loaded.faults)
    ? loadAuthority({ ...files, passphrase: await askPassphrase(caKey, terminal) })
    : loaded;
  if (authority) return authority;
  const names = { caCertificate: caCert, caKey, certificate: caCert, key: caKey };
  const fix = faults.map(certificateFaultFix).find((text) => text !== undefined);
  throw new UsageError(faults.map((fault) => certificateFaultText(fault, names)).join('\n'), fix === undefined ? {} : { fix });
}

const needsOnlyPassphrase = (faults: readonly CertificateFault[]): boolean =>
  faults.length > 0 && faults.every(({ code }) => code === 'passphrase-needed');

const askPassphrase = (caKey: string, terminal: Terminal): Promise<string> =>
  terminal.ask({
    message: `Passphrase for ${caKey}`,
    flag: '--ca-key-passphrase-file FILE or --ca-key-passphrase-env NAME',
    secret: true,
  });

function passphraseFromFlags({ caKeyPassphraseFile: file, caKeyPassphraseEnv: variable }: CaFlags, { env }: Terminal): string | undefined {
  if (file !== undefined && variable !== undefined)
    throw new UsageError('--ca-key-passphrase-file and --ca-key-passphrase-env cannot be used together', {
      fix: 'Remove one of the two flags.',
    });
  // Editors add a line end that is not part of the passphrase.
  if (file !== undefined) return readText(file).replace(/\r?\n$/, '');
  if (variable === undefined) return undefined;
  const value = env[variable];
  if (value === undefined)
    throw new UsageError(`--ca-key-passphrase-env: environment variable ${variable} is not set`, {
      fix: `Set ${variable} to the passphrase of the CA key, and export it.`,
    });
  return value;
}
