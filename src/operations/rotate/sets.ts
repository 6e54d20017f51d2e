import { statSync } from 'node:fs';
import type { Registration } from '../../config/schema.ts';
import { UsageError } from '../../errors.ts';
import { certificateFaultText } from '../../pki/certificate-faults.ts';
import type { PrivateKey } from '../../pki/private-key.ts';
import { readCertificates } from '../../project/certificates.ts';
import { readNext } from '../../project/generations.ts';
import { certificateFiles } from '../../project/project.ts';
import { pathsOfSets } from '../../project/sets.ts';
import { type CertificateSet, certificateSet } from '../rotation/rotation.ts';

const reading = () => ({ withKey: true, now: new Date() });

/**
 * certs/, whatever its faults: an expired certificate is a reason to rotate.
 * @param given the private key, where the user gives it
 */
export const readSet = (dir: string, registration: Registration, given?: PrivateKey): CertificateSet | undefined =>
  certificateSet(readCertificates(dir, registration, { ...reading(), given }));

/**
 * certs/next; undefined where there is none. apisvc writes it as a whole, but others may damage it,
 * and it replaces the keys in use. The way back does not need it, and removes it.
 * @param abort whether the command goes back
 * @throws UsageError where a certificate or the key is missing, except for the way back
 */
export function readNextSet(dir: string, registration: Registration, abort: boolean): CertificateSet | undefined {
  const next = readNext(dir, registration, reading());
  if (!next) return undefined;
  const set = certificateSet(next);
  // The new CA stays trusted while a pod serves by it, also without the key.
  if (set && set.anchors.length > 0 && (set.key || abort)) return set;
  if (abort) return undefined;
  const path = pathsOfSets(dir).next;
  const isDirectory = statSync(path).isDirectory();
  const what = isDirectory ? 'is incomplete or damaged' : 'is a file, not a directory with certificates';
  const reasons = isDirectory ? next.faults.map((fault) => certificateFaultText(fault, certificateFiles(path))) : [];
  throw new UsageError([`${path} ${what}`, ...reasons, 'nothing was changed'].join('\n'), {
    fix: 'Roll back to the certificates in certs/, and remove certs/next: apisvc rotate --abort',
  });
}
