import { fileExists } from '../config/file-errors.ts';
import { describeKey, generateKeyPair, readPrivateKey, toPrivateKey } from '../pki/keys.ts';
import type { PrivateKey } from '../pki/private-key.ts';
import type { Issued, KeyType } from '../pki/types.ts';
import { removeFile, writeFiles } from './files.ts';
import { certificateFiles, filesOfCertificates, filesOfRequestKey } from './project.ts';
import { readPem } from './read.ts';
import { pathsOfSets } from './sets.ts';

/**
 * The key of a certificate that a signer in the cluster has not signed yet. It is written before
 * the request exists, so that the next run finds the request by it.
 * @returns the key in certs/request.key, or a new one where the file has no key of this type
 * @throws UsageError when the file cannot be read or written
 */
export async function requestKey(dir: string, keyType: KeyType): Promise<PrivateKey> {
  const { certs } = pathsOfSets(dir);
  const path = certificateFiles(certs).requestKey;
  const { key } = fileExists(path) ? readPrivateKey(readPem(path)) : { key: undefined };
  if (key && describeKey(key) === keyType) return toPrivateKey(key);
  const made = toPrivateKey((await generateKeyPair(keyType)).privateKey);
  writeFiles(filesOfRequestKey(certs, made));
  return made;
}

/**
 * Writes the certificates that a signer has signed to certs/, and removes the file of the request.
 * @returns the paths of the files
 * @throws UsageError with the reason
 */
export function saveSigned(dir: string, issued: Issued): readonly string[] {
  const { certs } = pathsOfSets(dir);
  const files = filesOfCertificates(certs, { issued });
  writeFiles(files);
  removeFile(certificateFiles(certs).requestKey);
  return files.map(({ path }) => path);
}
