import type { Registration } from '../../config/schema.ts';
import { readCertificates } from '../../project/certificates.ts';
import { readNext } from '../../project/generations.ts';
import type { OnProgress } from '../progress.ts';
import { restoreKey } from './restore-key.ts';
import { type CertificateSet, certificateSet, type Rotation } from './rotation.ts';

interface Project {
  readonly dir: string;
  readonly dryRun: boolean;
  readonly onProgress: OnProgress;
}

/** The set in certs/. A lost key is restored from the Secret. */
export const withKey = async (
  where: Pick<Rotation, 'cluster' | 'registration' | 'signal'>,
  current: CertificateSet,
  project: Project,
): Promise<CertificateSet> => (current.key ? current : restoreKey(where, current, project));

const reading = () => ({ withKey: true, now: new Date() });

/** certs/, whatever its faults: an expired certificate is a reason to rotate. */
export const readSet = (dir: string, registration: Registration): CertificateSet | undefined =>
  certificateSet(readCertificates(dir, registration, reading()));

/** @throws UsageError where certs/next cannot be used */
export function readNextSet(dir: string, registration: Registration): CertificateSet | undefined {
  const next = readNext(dir, registration, reading());
  return next && certificateSet(next);
}
