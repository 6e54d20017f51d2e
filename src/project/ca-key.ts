import { X509Certificate } from 'node:crypto';
import { fileExists } from '../config/file-errors.ts';
import { UsageError } from '../errors.ts';
import type { CaPair } from '../manifests/ca-secret.ts';
import { certificateFaultText } from '../pki/certificate-faults.ts';
import { inspect } from '../pki/inspect.ts';
import { readPrivateKey, toPrivateKey } from '../pki/keys.ts';
import { removeFile } from './files.ts';
import { certificateFiles } from './project.ts';
import { readPem } from './read.ts';
import { pathsOfSets } from './sets.ts';

/** The directory with certs/, or with certs/next/ during a rotation. */
const directoryOf = (dir: string, set: 'current' | 'next'): string => pathsOfSets(dir)[set === 'next' ? 'next' : 'certs'];

/**
 * The CA whose private key is in a file, certs/ca.key by default.
 * @returns undefined without the file
 * @throws UsageError when it cannot be read, or is not the key of a CA in ca.crt
 */
export function caPairIn(dir: string, set: 'current' | 'next' = 'current'): CaPair | undefined {
  const paths = certificateFiles(directoryOf(dir, set));
  if (!fileExists(paths.caKey)) return undefined;
  const { key, fault } = readPrivateKey(readPem(paths.caKey));
  const fix = { fix: `Restore the file. If the key is lost, remove the file, and create a new CA: apisvc rotate --ca` };
  if (fault) throw new UsageError(certificateFaultText({ part: 'caKey', ...fault }, paths), fix);
  const own = inspect(readPem(paths.caCertificate)).certificates.filter(({ pem }) => new X509Certificate(pem).checkPrivateKey(key));
  if (own.length === 0) throw new UsageError(`${paths.caKey}: the private key does not match ${paths.caCertificate}`, fix);
  return { certificate: own.map(({ pem }) => pem).join(''), key: toPrivateKey(key) };
}

/** Whether a file has the private key of the CA. */
export const hasCaKey = (dir: string, set: 'current' | 'next' = 'current'): boolean =>
  fileExists(certificateFiles(directoryOf(dir, set)).caKey);

/** Removes the file with the private key of the CA. @returns its path @throws as `removeFile` */
export const removeCaKey = (dir: string, set: 'current' | 'next' = 'current'): string =>
  removeFile(certificateFiles(directoryOf(dir, set)).caKey);
