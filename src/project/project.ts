import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseRegistration } from '../config/load.ts';
import type { Registration } from '../config/schema.ts';
import { UsageError } from '../errors.ts';
import { inspect } from '../pki/inspect.ts';
import { readPrivateKey, toPrivateKey } from '../pki/keys.ts';
import type { PrivateKey } from '../pki/private-key.ts';
import { wouldAccept } from '../pki/trust.ts';
import type { Authority, CertificateInfo, Leaf, Material, ServingNames } from '../pki/types.ts';
import { type FileToWrite, fileError, writeFiles } from './files.ts';

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

/** Reads a text file. @throws UsageError with the reason in plain words */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw fileError('read', path, cause);
  }
}

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

/**
 * Reads the certificates of a project directory, and the private key unless it is to be left alone (it may be on another machine).
 * @throws UsageError when a file is missing or holds something else, or when key and certificate do not belong together
 */
export function readMaterial(dir: string, { withKey }: { readonly withKey: boolean }): Material {
  const { caCertificate, certificate, key } = projectFiles(dir);
  const caBundle = readText(caCertificate);
  const certificates = readText(certificate);
  requireCertificate(caCertificate, caBundle);
  const leaf = requireCertificate(certificate, certificates);
  if (!withKey) return { caBundle, certificates };
  const privateKey = inFile(key, () => readPrivateKey(readText(key)));
  if (!new X509Certificate(leaf.pem).checkPrivateKey(privateKey)) {
    throw new UsageError(`${key} does not belong to ${certificate}`, {
      fix: 'Put the matching file back, or make both anew: apisvc init --force-keys',
    });
  }
  return { caBundle, certificates, key: toPrivateKey(privateKey) };
}

function requireCertificate(path: string, text: string): CertificateInfo {
  const [first] = inspect(text).certificates;
  if (!first) throw new UsageError(`${path} holds no certificate`);
  return first;
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

/** Whether the certificate in the directory has all these names and would be accepted by whoever trusts the CA beside it. Damaged files don't fit. */
export function certificatesFit(dir: string, { dns, ip }: ServingNames, now: Date): boolean {
  try {
    const { caBundle, certificates } = readMaterial(dir, { withKey: true });
    const presented = inspect(certificates).certificates;
    const [leaf] = presented;
    if (!leaf || !dns.every((name) => leaf.dnsNames.includes(name)) || !ip.every((address) => leaf.ipAddresses.includes(address)))
      return false;
    return dns.every((hostname) => wouldAccept({ presented, roots: inspect(caBundle).certificates, hostname, now }));
  } catch (error) {
    if (error instanceof UsageError) return false;
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
  readonly certificates: { readonly authority: Authority; readonly keepAuthorityKey: boolean; readonly leaf: Leaf } | undefined;
}

/** Writes a project directory, all or nothing; returns the paths. @throws UsageError, see `writeFiles` */
export function writeProject(dir: string, { configuration, schema, certificates }: NewProject): string[] {
  const paths = projectFiles(dir);
  const open = (path: string, text: string): FileToWrite => ({ path, text, mode: 0o644 });
  const secret = (path: string, key: PrivateKey): FileToWrite => ({ path, text: key.reveal(), mode: 0o600 });
  const files = [
    ...(configuration === undefined ? [] : [open(paths.configuration, configuration)]),
    open(paths.schema, schema),
    ...(certificates
      ? [
          open(paths.ignore, '# Private keys stay on this machine.\n*.key\n'),
          open(paths.caCertificate, certificates.authority.certificates),
          ...(certificates.keepAuthorityKey ? [secret(paths.caKey, certificates.authority.key)] : []),
          open(paths.certificate, certificates.leaf.certificates),
          secret(paths.key, certificates.leaf.key),
        ]
      : []),
  ];
  writeFiles(files);
  return files.map(({ path }) => path);
}
