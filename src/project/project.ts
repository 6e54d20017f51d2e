import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseRegistration } from '../config/load.ts';
import type { Registration } from '../config/schema.ts';
import { UsageError } from '../errors.ts';
import { anchorsIn, caBundleOf } from '../pki/anchors.ts';
import { inspect } from '../pki/inspect.ts';
import { readPrivateKey, toPrivateKey } from '../pki/keys.ts';
import type { PrivateKey } from '../pki/private-key.ts';
import type { Issued } from '../pki/types.ts';
import { type FileToWrite, fileError, removeFile, writeFiles } from './files.ts';
import { misfits } from './fit.ts';

/** Where everything is in a project directory. */
export const projectFiles = (dir: string) => ({
  configuration: join(dir, 'apisvc.yaml'),
  schema: join(dir, '.apisvc', 'registration.schema.json'),
  caCertificate: join(dir, 'certs', 'ca.crt'),
  caKey: join(dir, 'certs', 'ca.key'),
  certificate: join(dir, 'certs', 'tls.crt'),
  key: join(dir, 'certs', 'tls.key'),
  ignore: join(dir, 'certs', '.gitignore'),
});

/** Far above any registration or certificate; YAML of this size takes seconds to read. */
const largestFileBytes = 8 * 1024 * 1024;

/** Reads a file whole; a pipe, as the shell makes one of `<(command)`, is one too. @throws UsageError with the reason in plain words */
function readBytes(path: string): Buffer {
  try {
    const file = statSync(path);
    if (file.isCharacterDevice() || file.isBlockDevice()) throw new UsageError(`can't read ${path}: it is a device`);
    if (file.size > largestFileBytes) throw new UsageError(`can't read ${path}: it is larger than ${largestFileBytes / 1024 / 1024} MiB`);
    return readFileSync(path);
  } catch (cause) {
    throw cause instanceof UsageError ? cause : fileError('read', path, cause);
  }
}

/** Reads a text file. @throws UsageError with the reason in plain words, also when it is not UTF-8 */
export function readText(path: string): string {
  const bytes = readBytes(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError(`can't read ${path}: it is not UTF-8 text`, { cause });
  }
}

/** Reads a PEM file, in which the text around the blocks may be in any encoding. @throws UsageError with the reason in plain words */
export const readPem = (path: string): string => readBytes(path).toString('latin1');

/** Whether there is a project in this directory. */
export const isProject = (dir: string): boolean => existsSync(projectFiles(dir).configuration);

/** Whether there are keys or certificates that must not be lost. */
export const hasKeys = (dir: string): boolean => {
  const { caKey, key } = projectFiles(dir);
  return existsSync(caKey) || existsSync(key);
};

/**
 * Reads apisvc.yaml of a project directory.
 * @throws UsageError when there is none; ConfigurationError (with lines and columns) when it is wrong
 */
export function readRegistration(dir: string): Registration {
  const { configuration } = projectFiles(dir);
  if (!existsSync(configuration)) {
    throw new UsageError(`there is no project here: ${configuration} does not exist`, { fix: 'Make one with: apisvc init' });
  }
  return parseRegistration(readText(configuration), configuration);
}

export interface CertificatesRequest {
  /** false: the private key is left alone; it may be on another machine. */
  readonly withKey: boolean;
  readonly now: Date;
}

/**
 * Reads the certificates of a project directory for a registration.
 * @throws UsageError when a file is missing or holds something else, when key and certificate do not belong together, or when the
 * certificates can't serve the registration: other names, expired, another CA
 */
export function requireCertificates(dir: string, registration: Registration, { withKey, now }: CertificatesRequest): Issued {
  const issued = readCertificates(dir, withKey);
  const faults = misfitsOf(dir, issued, registration, now);
  if (faults.length === 0) return issued;
  const { certificate, configuration } = projectFiles(dir);
  throw new UsageError(`${certificate} does not fit ${configuration}: ${faults.join('; ')}`, { fix: renewal(registration) });
}

/** The command that makes certificates that fit. */
const renewal = ({ spec }: Registration): string =>
  `Make new ones: apisvc init --force-keys${spec.certificates.issuer.type === 'ca' ? ' --ca-cert FILE --ca-key FILE' : ''}`;

const misfitsOf = (dir: string, issued: Issued, registration: Registration, now: Date): string[] =>
  misfits({ ...issued, registration, now, caFile: projectFiles(dir).caCertificate });

function readCertificates(dir: string, withKey: boolean): Issued {
  const { caCertificate, certificate, key } = projectFiles(dir);
  const anchors = anchorsIn(certificatesIn(caCertificate), 'current');
  const chain = certificatesIn(certificate);
  if (!withKey) return { anchors, chain };
  const pem = readPem(key);
  const privateKey = inFile(key, () => readPrivateKey(pem));
  if (!new X509Certificate(chain).checkPrivateKey(privateKey)) {
    throw new UsageError(`${key} does not belong to ${certificate}`, {
      fix: 'Put the matching file back, or make both anew: apisvc init --force-keys',
    });
  }
  return { anchors, chain, key: toPrivateKey(privateKey) };
}

/** The certificates of a file and nothing else of it: everyone may read a caBundle, and people keep keys in the same file. */
function certificatesIn(path: string): string {
  if (!existsSync(path))
    throw new UsageError(`${path} does not exist`, { fix: 'Put it back, or make new certificates: apisvc init --force-keys' });
  const { certificates } = inspect(readPem(path));
  if (certificates.length === 0) throw new UsageError(`${path} holds no certificate`);
  return certificates.map(({ pem }) => pem).join('');
}

/** Puts the file's name before the words of what is wrong with its content. */
function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${path}: ${error.message}`, error.fix === undefined ? { cause: error } : { fix: error.fix, cause: error });
  }
}

/**
 * Why the certificates in the directory can't be kept for a registration: the faults that `requireCertificates` refuses, damaged files, or a key of
 * another type than apisvc.yaml asks for.
 * @returns parts of a sentence; empty when they can stay
 */
export function reasonsAgainstKeeping(dir: string, registration: Registration, now: Date): string[] {
  const wanted = registration.spec.certificates.keyType;
  try {
    const issued = readCertificates(dir, true);
    const keyType = inspect(issued.chain).certificates[0]?.publicKey;
    const faults = misfitsOf(dir, issued, registration, now);
    return keyType === wanted ? faults : [...faults, `the key is ${keyType}, not ${wanted}`];
  } catch (error) {
    if (error instanceof UsageError) return [error.message];
    throw error;
  }
}

/** The JSON Schema of apisvc.yaml as it is shipped, beside the bundle. */
export const readSchema = (): string => readText(fileURLToPath(new URL('../schema/registration.schema.json', import.meta.url)));

/** What `init` makes. */
export interface NewProject {
  /** Text of apisvc.yaml; undefined keeps the one that is there. */
  readonly configuration: string | undefined;
  readonly schema: string;
  /** undefined keeps the certificates that are there. */
  readonly certificates: { readonly issued: Issued; readonly caKey?: PrivateKey } | undefined;
}

/** Writes a project directory, all or nothing; returns the paths. @throws UsageError, see `writeFiles` */
export function writeProject(dir: string, project: NewProject): string[] {
  const files = filesOf(dir, project);
  writeFiles(files);
  return files.map(({ path }) => path);
}

/** A file that `writeProject` would write. */
export interface PlannedFile {
  readonly path: string;
  /** Whether one of that name is there, which it would replace. */
  readonly replaces: boolean;
}

/** What `writeProject` would write, in its order. */
export const plannedFiles = (dir: string, project: NewProject): PlannedFile[] =>
  filesOf(dir, project).map(({ path }) => ({ path, replaces: existsSync(path) }));

function filesOf(dir: string, { configuration, schema, certificates }: NewProject): FileToWrite[] {
  const paths = projectFiles(dir);
  const open = (path: string, text: string): FileToWrite => ({ path, text, mode: 0o644 });
  const secret = (path: string, key: PrivateKey): FileToWrite => ({ path, text: key.reveal(), mode: 0o600 });
  return [
    ...(configuration === undefined ? [] : [open(paths.configuration, configuration)]),
    open(paths.schema, schema),
    ...(certificates
      ? [
          open(paths.ignore, '# Private keys stay on this machine.\n*.key\n'),
          open(paths.caCertificate, caBundleOf(certificates.issued)),
          ...(certificates.caKey ? [secret(paths.caKey, certificates.caKey)] : []),
          open(paths.certificate, certificates.issued.chain),
          ...(certificates.issued.key ? [secret(paths.key, certificates.issued.key)] : []),
        ]
      : []),
  ];
}

/**
 * Removes the key of a CA whose certificate has been replaced: beside the certificate of another CA it would only mislead, and it can still sign.
 * @param given the key file of the CA that replaces it; where that is this very file it stays
 * @returns the path of what was removed, if anything
 * @throws UsageError with the reason in plain words
 */
export function removeReplacedAuthorityKey(dir: string, given: string): string | undefined {
  const { caKey } = projectFiles(dir);
  if (!existsSync(caKey) || realpathSync(caKey) === realpathSync(given)) return undefined;
  return removeFile(caKey);
}
