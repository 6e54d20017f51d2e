import { shellWord } from '../config/shell-word.ts';
import { UsageError } from '../errors.ts';
import { loadAuthority } from '../pki/authority.ts';
import { type CertificateFault, certificateFaultFix, certificateFaultText } from '../pki/certificate-faults.ts';
import type { Authority } from '../pki/types.ts';
import { readPem, readText } from '../project/read.ts';
import type { Question, Terminal } from './terminal.ts';
import { together } from './together.ts';

export interface CaFlags {
  readonly caCert?: string;
  readonly caKey?: string;
  readonly caKeyPassphraseFile?: string;
  readonly caKeyPassphraseEnv?: string;
}

/**
 * Reads the CA that the flags name, if any. A passphrase comes from a file, an environment variable
 * or a prompt, but never from an argument, which every user of the machine can read.
 * @returns the CA, after a prompt if its key needs a passphrase that no flag gives
 * @throws UsageError with every fault of the flags and files, except for one of that passphrase
 */
export function readAuthority(flags: CaFlags, terminal: Terminal, now: Date): (() => Promise<Authority>) | undefined {
  const { caCert, caKey } = flags;
  if (caCert === undefined && caKey === undefined) {
    // The answers to prompts may still name the files.
    if (!terminal.interactive) refusePassphrase(flags);
    return undefined;
  }
  if (caCert === undefined || caKey === undefined)
    throw new UsageError(caCert ? '--ca-cert needs --ca-key' : '--ca-key needs --ca-cert', {
      fix: caCert ? 'Add --ca-key FILE.' : 'Add --ca-cert FILE.',
    });
  const [certificates, key, passphrase] = together(
    () => readPem(caCert),
    () => readPem(caKey),
    () => passphraseFromFlags(flags, terminal),
  );
  const files = { certificates, key, now };
  const loaded = loadAuthority({ ...files, ...(passphrase === undefined ? {} : { passphrase }) });
  const usable = ({ authority, faults }: typeof loaded): Authority => authority ?? refuse(faults, { caCert, caKey });
  if (needsOnlyPassphrase(loaded.faults)) {
    const question = passphraseQuestion(caKey);
    if (!terminal.interactive) refuse(loaded.faults, { caCert, caKey }, `Add ${question.flag}.`);
    return async () => usable(loadAuthority({ ...files, passphrase: await terminal.ask(question) }));
  }
  const authority = usable(loaded);
  return async () => authority;
}

interface CaFiles {
  readonly caCert: string;
  readonly caKey: string;
}

function refuse(faults: readonly CertificateFault[], { caCert, caKey }: CaFiles, flagFix?: string): never {
  const names = { caCertificate: caCert, caKey, certificate: caCert, key: caKey };
  const fix = flagFix ?? faults.map((fault) => fixOf(fault, shellWord(names[fault.part]))).find((text) => text !== undefined);
  throw new UsageError(faults.map((fault) => certificateFaultText(fault, names)).join('\n'), fix === undefined ? {} : { fix });
}

const newCa = 'openssl req -x509 -newkey rsa:3072 -nodes -keyout new-ca.key -out new-ca.crt -subj /CN=new-ca -days 3650';

function fixOf(fault: CertificateFault, file: string): string | undefined {
  const fix = certificateFaultFix(fault, file);
  return fault.code === 'openssh-key' ? `${fix} Create a new CA instead: ${newCa}` : fix;
}

const needsOnlyPassphrase = (faults: readonly CertificateFault[]): boolean =>
  faults.length > 0 && faults.every(({ code }) => code === 'passphrase-needed');

function refusePassphrase({ caKeyPassphraseFile: file, caKeyPassphraseEnv: variable }: CaFlags): void {
  if (file === undefined && variable === undefined) return;
  const flag = file === undefined ? '--ca-key-passphrase-env' : '--ca-key-passphrase-file';
  throw new UsageError(`${flag} needs --ca-cert and --ca-key`, { fix: `Add --ca-cert FILE --ca-key FILE, or remove ${flag}.` });
}

const passphraseQuestion = (caKey: string): Question => ({
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
