import { type KeyObject, X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileExists, reading } from '../config/file-errors.ts';
import { inDirectory } from '../config/project-commands.ts';
import { responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { shellWord } from '../config/shell-word.ts';
import { UsageError } from '../errors.ts';
import { certificateFaultFix, type KeyFault, keyFaultText } from '../pki/certificate-faults.ts';
import { type ReadKey, readPrivateKey, readPrivateKeys, toPrivateKey } from '../pki/keys.ts';
import type { PrivateKey } from '../pki/private-key.ts';
import type { CertificateInfo } from '../pki/types.ts';
import { certificatesOf } from '../project/certificates.ts';
import { projectFiles } from '../project/project.ts';
import { readPem } from '../project/read.ts';
import { progressLine } from '../report/progress.ts';
import { readStandardInput } from './standard-input.ts';
import type { Terminal } from './terminal.ts';

export interface KeysFlag {
  /** A directory, or `-` for standard input. */
  readonly keys?: string;
}

/** Private keys from elsewhere. They belong to the certificates in certs/, and are not copied. */
export interface GivenKeys {
  /** The key of certs/tls.crt. */
  readonly key?: PrivateKey;
  /** The key of certs/ca.crt. */
  readonly caKey?: PrivateKey;
}

interface Project {
  readonly dir: string;
  readonly registration: Registration;
  readonly command: 'register' | 'rotate';
}

type Named = Readonly<Record<'certificate' | 'caCertificate', readonly CertificateInfo[]>>;

/**
 * Reads the keys that --keys gives, if any. `register` needs the serving key. `rotate` can use both
 * keys, and needs one.
 * @throws UsageError for a key that is missing, unusable or of another certificate, without any
 * part of the key; InterruptedError
 */
export async function readGivenKeys({ keys }: KeysFlag, project: Project, terminal: Terminal): Promise<GivenKeys> {
  if (keys === undefined) return {};
  refuseContradiction(project);
  const { certificate } = projectFiles(project.dir);
  const certificates: Named = {
    certificate: certificatesOf(project.dir, 'certificate').slice(0, 1),
    caCertificate: certificatesOf(project.dir, 'caCertificate'),
  };
  if (certificates.certificate.length === 0) {
    throw new UsageError(`${certificate} does not exist or contains no certificate; --keys needs the certificate that matches the key`, {
      fix: 'Restore the file from Git, or copy it from another copy of the project.',
    });
  }
  return keys === '-' ? fromStandardInput(project, certificates, terminal) : fromDirectory(keys, project, certificates, terminal);
}

function refuseContradiction({ registration, command }: Project): void {
  const fix = { fix: 'Remove --keys.' };
  if (!responsibilitiesOf(registration).inProject) {
    const { type } = registration.spec.certificates.issuer;
    throw new UsageError(`--keys cannot be used with the issuer type "${type}": the project has no private key`, fix);
  }
  if (command === 'register' && registration.spec.server.external) {
    throw new UsageError('--keys cannot be used with a server outside the cluster: register writes no Secret for it', fix);
  }
}

function fromDirectory(directory: string, project: Project, certificates: Named, terminal: Terminal): GivenKeys {
  requireKeyDirectory(directory);
  const { dir, command } = project;
  const files = projectFiles(dir);
  const paths = { key: join(directory, 'tls.key'), caKey: join(directory, 'ca.key') };
  const read = (path: string, certificate: string, owners: readonly CertificateInfo[]): PrivateKey | undefined => {
    if (!fileExists(path)) return undefined;
    const key = usable(readPrivateKey(readPem(path)), project, { certificate, file: path });
    if (!fits(key, owners)) throw wrongKey(`${path}: the private key does not match ${certificate}`);
    noteOpenMode(path, terminal);
    return toPrivateKey(key);
  };
  const key = read(paths.key, files.certificate, certificates.certificate);
  const caKey = command === 'rotate' ? read(paths.caKey, files.caCertificate, certificates.caCertificate) : undefined;
  if (!key && (command === 'register' || !caKey)) {
    const missing = command === 'register' ? `${paths.key} not found` : `neither ${paths.key} nor ${paths.caKey} found`;
    throw new UsageError(missing, { fix: 'Set --keys to the directory that contains the keys.' });
  }
  return { ...(key ? { key } : {}), ...(caKey ? { caKey } : {}) };
}

function requireKeyDirectory(directory: string): void {
  const fix = { fix: 'Set --keys to the directory that contains tls.key, or to - for standard input.' };
  if (!fileExists(directory)) throw new UsageError(`directory ${directory} does not exist`, fix);
  if (!reading(directory, () => statSync(directory).isDirectory())) throw new UsageError(`${directory} is not a directory`, fix);
}

/** The files of a mounted Secret are links, and open to everyone unless `defaultMode` is set. */
function noteOpenMode(path: string, terminal: Terminal): void {
  const mode = reading(path, () => statSync(path).mode) & 0o777;
  if ((mode & 0o004) === 0) return;
  const what = `${path}: every user on this machine can read the private key (mode ${mode.toString(8).padStart(4, '0')})`;
  terminal.progress(progressLine({ kind: 'note', what }));
}

async function fromStandardInput(project: Project, certificates: Named, terminal: Terminal): Promise<GivenKeys> {
  const { dir, command } = project;
  if ((terminal.stdin() as { readonly isTTY?: boolean }).isTTY) {
    throw new UsageError('--keys - reads the keys from standard input, which is a terminal', {
      fix: `Pipe the keys to apisvc, for example: sops -d ${command === 'register' ? 'tls' : 'ca'}.enc.pem | ${inDirectory(`apisvc ${command} --keys -`, dir)}`,
    });
  }
  const files = projectFiles(dir);
  const found: { key?: PrivateKey; caKey?: PrivateKey } = {};
  const input = await readStandardInput(terminal);
  const certificate = command === 'register' ? files.certificate : `${files.certificate} or ${files.caCertificate}`;
  for (const each of readPrivateKeys(input)) {
    const key = usable(each, project, { certificate });
    if (fits(key, certificates.certificate)) found.key = toPrivateKey(key);
    else if (fits(key, certificates.caCertificate)) found.caKey = toPrivateKey(key);
    else {
      throw wrongKey(
        `standard input: the private key on line ${each.line} matches neither ${files.certificate} nor ${files.caCertificate}`,
      );
    }
  }
  if (found.key || (command === 'rotate' && found.caKey)) return found;
  if (found.caKey) {
    const fix = 'Pipe tls.key to apisvc. register does not use the private key of the CA.';
    throw new UsageError(`standard input: found no private key that matches ${files.certificate}`, { fix });
  }
  throw input.trim() === ''
    ? new UsageError('standard input: no private key found: the input is empty', {
        fix: 'Check the command before the pipe. In CI, check that the job can read the secret.',
      })
    : new UsageError('standard input: no private key found', {
        fix: 'Check the command before the pipe: it must print the keys in PEM format.',
      });
}

const wrongKey = (message: string): UsageError =>
  new UsageError(message, {
    fix: 'Use a certificate and a private key from the same rotation: run git pull, or decrypt the current keys.',
  });

const fits = (key: KeyObject, certificates: readonly CertificateInfo[]): boolean =>
  certificates.some(({ pem }) => new X509Certificate(pem).checkPrivateKey(key));

interface Source {
  /** The default is standard input. */
  readonly file?: string;
  /** The certificate that the key must match. */
  readonly certificate: string;
}

function usable({ key, fault }: ReadKey, project: Project, source: Source): KeyObject {
  if (key) return key;
  throw new UsageError(`${source.file ?? 'standard input'}: ${keyFaultText(fault)}`, { fix: wayToPem(fault, project, source) });
}

/** How to pass the key so that it can be read. A variable without quotes loses its line breaks. */
function wayToPem({ code }: KeyFault, { dir, command }: Project, { file, certificate }: Source): string {
  const pipe = inDirectory(`apisvc ${command} --keys -`, dir);
  const word = shellWord(file ?? 'FILE');
  if (code === 'passphrase-needed') return `Pipe the decrypted key to apisvc: openssl pkey -in ${word} | ${pipe}`;
  if (code === 'damaged-key' && file === undefined) {
    return `Pass the private key in PEM format, with its line breaks, for example: printf '%s' "$TLS_KEY" | ${pipe}`;
  }
  // A new key of another type would not match the certificate.
  const matching = `Pass the private key that matches ${certificate}.`;
  if (code === 'unsupported-key') return matching;
  return code === 'openssh-key' ? `${certificateFaultFix({ code }, word)} ${matching}` : 'Pass the private key in PEM format.';
}
