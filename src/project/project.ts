import { realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { getAsset, isSea } from 'node:sea';
import { fileExists, reading } from '../config/file-errors.ts';
import { parseRegistration } from '../config/load.ts';
import type { Registration } from '../config/schema.ts';
import { shellWord } from '../config/shell-word.ts';
import { UsageError } from '../errors.ts';
import { caBundleOf } from '../pki/anchors.ts';
import type { PrivateKey } from '../pki/private-key.ts';
import type { Issued } from '../pki/types.ts';
import { type FileToWrite, removeFile, writeFiles } from './files.ts';
import { readText } from './read.ts';

/** The paths of the certificates in one directory: certs/, or certs/next/ during a rotation. */
export const certificateFiles = (certs: string) => ({
  caCertificate: join(certs, 'ca.crt'),
  caKey: join(certs, 'ca.key'),
  certificate: join(certs, 'tls.crt'),
  key: join(certs, 'tls.key'),
  /** The key of a certificate that a signer in the cluster has not signed yet. */
  requestKey: join(certs, 'request.key'),
  ignore: join(certs, '.gitignore'),
});

/** The paths of a project directory. */
export const projectFiles = (dir: string) => ({
  configuration: join(dir, 'apisvc.yaml'),
  schema: join(dir, '.apisvc', 'registration.schema.json'),
  ...certificateFiles(join(dir, 'certs')),
});

/** Whether this directory is a project. */
export const isProject = (dir: string): boolean => fileExists(projectFiles(dir).configuration);

/** Whether the directory has keys or certificates that must not be lost. */
export const hasKeys = (dir: string): boolean => {
  const { caKey, key } = projectFiles(dir);
  return fileExists(caKey) || fileExists(key);
};

/**
 * Checks what -C names.
 * @throws UsageError when it does not exist, or is not a directory
 */
export function requireDirectory(dir: string): void {
  if (!fileExists(dir)) {
    throw new UsageError(`directory ${dir} does not exist`, {
      fix: `Check the path, or create a project at this path: ${createCommand(dir)}`,
    });
  }
  if (!isDirectory(dir)) throw new UsageError(`${dir} is not a directory`, { fix: 'Set -C to the directory of a project.' });
}

/**
 * Checks the path of a directory that a command creates where it does not exist.
 * @throws UsageError where a file is in its way
 */
export function refuseFile(dir: string): void {
  if (fileExists(dir)) requireDirectory(dir);
  else if (dir !== dirname(dir)) refuseFile(dirname(dir));
}

const isDirectory = (dir: string): boolean => reading(dir, () => statSync(dir).isDirectory());

/** The command that creates a project in a directory. */
export const createCommand = (dir: string): string => `apisvc init${dir === '.' ? '' : ` ${shellWord(dir)}`}`;

/**
 * Reads apisvc.yaml of a project directory.
 * @throws UsageError when it does not exist; ConfigurationError with lines and columns when it is
 * invalid
 */
export function readRegistration(dir: string): Registration {
  const { configuration } = projectFiles(dir);
  if (!fileExists(configuration)) {
    requireDirectory(dir);
    throw new UsageError(`${configuration} not found`, {
      fix: `Set the project directory with -C, or create a project: ${createCommand(dir)}`,
    });
  }
  // kubelet creates a directory where a ConfigMap lacks the key that `subPath` names.
  if (isDirectory(configuration)) {
    throw new UsageError(`failed to read ${configuration}: it is a directory`, {
      fix: 'Replace the directory with the file. In a pod, check that the ConfigMap exists and has the key "apisvc.yaml".',
    });
  }
  return parseRegistration(readText(configuration), configuration);
}

/** The text of apisvc.yaml of a project. @throws UsageError when it cannot be read */
export const readConfiguration = (dir: string): string => readText(projectFiles(dir).configuration);

const schemaFile = 'registration.schema.json';

/** The JSON Schema of apisvc.yaml, which is installed beside the bundle, or in the executable. */
export const readSchema = (): string =>
  isSea() ? getAsset(schemaFile, 'utf8') : readText(join(import.meta.dirname, '..', 'schema', schemaFile));

/** Certificates to write. */
export interface CertificatesToWrite {
  readonly issued: Issued;
  /** The key of the CA, where the project keeps it. */
  readonly caKey?: PrivateKey;
}

/** The files that `init` creates. */
export interface NewProject {
  /** Text of apisvc.yaml; undefined keeps the existing file. */
  readonly configuration: string | undefined;
  /** Whether to fail if another process creates apisvc.yaml meanwhile. Default: it is replaced. */
  readonly isNew?: boolean;
  readonly schema: string;
  /** undefined keeps the existing certificates. */
  readonly certificates: CertificatesToWrite | undefined;
  /** The file that `caBundleFile` of apisvc.yaml names. */
  readonly caBundle?: { readonly file: string; readonly pem: string };
}

/** Writes a project directory, all files or none. @returns the paths @throws as `writeFiles` */
export function writeProject(dir: string, project: NewProject): string[] {
  const files = filesOf(dir, project);
  writeFiles(files);
  return files.map(({ path }) => path);
}

/** A file that `writeProject` would write. */
export interface PlannedFile {
  readonly path: string;
  /** Whether it would replace an existing file. */
  readonly replaces: boolean;
}

/** The files that `writeProject` would write, in order. */
export const plannedFiles = (dir: string, project: NewProject): PlannedFile[] =>
  filesOf(dir, project).map(({ path }) => ({ path, replaces: fileExists(path) }));

function filesOf(dir: string, { configuration, isNew = false, schema, certificates, caBundle }: NewProject): FileToWrite[] {
  const paths = projectFiles(dir);
  return [
    ...(configuration === undefined ? [] : [{ ...open(paths.configuration, configuration), isNew }]),
    open(paths.schema, schema),
    ...(caBundle ? [open(join(dir, caBundle.file), caBundle.pem)] : []),
    ...(certificates ? filesOfCertificates(join(dir, 'certs'), certificates) : []),
  ];
}

const open = (path: string, text: string): FileToWrite => ({ path, text, mode: 0o644 });
const secret = (path: string, key: PrivateKey): FileToWrite => ({ path, text: key.reveal(), mode: 0o600 });

/** Keeps the private keys of a directory out of git. */
const ignoreFile = (certs: string): FileToWrite =>
  open(
    certificateFiles(certs).ignore,
    '# Private keys stay on this machine.\n*.key\n# The next certificates, while a rotation runs.\nnext/\nnext.tmp/\n',
  );

/** The files for the key of a certificate that is not signed yet. */
export const filesOfRequestKey = (certs: string, key: PrivateKey): FileToWrite[] => {
  const { ignore, requestKey } = certificateFiles(certs);
  return [...(fileExists(ignore) ? [] : [ignoreFile(certs)]), secret(requestKey, key)];
};

/** The files of a set of certificates in the directory `certs`. */
export function filesOfCertificates(certs: string, { issued, caKey }: CertificatesToWrite): FileToWrite[] {
  const paths = certificateFiles(certs);
  return [
    ignoreFile(certs),
    open(paths.caCertificate, caBundleOf(issued)),
    ...(caKey ? [secret(paths.caKey, caKey)] : []),
    open(paths.certificate, issued.chain),
    ...(issued.key ? [secret(paths.key, issued.key)] : []),
  ];
}

/**
 * Removes the key of a replaced CA: it can still sign, and does not match the new certificate.
 * @param given the key file of the new CA; when it is the same file, it stays
 * @returns the removed path, if any
 * @throws UsageError with the reason
 */
export function removeReplacedAuthorityKey(dir: string, given: string): string | undefined {
  const { caKey } = projectFiles(dir);
  if (!fileExists(caKey) || realpathSync(caKey) === realpathSync(given)) return undefined;
  return removeFile(caKey);
}
