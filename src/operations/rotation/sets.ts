import type { Registration } from '../../config/schema.ts';
import { readCertificates } from '../../project/certificates.ts';
import { readNext } from '../../project/generations.ts';
import type { OnProgress } from '../progress.ts';
import { restoreKey } from './restore-key.ts';
import { type CertificateSet, certificateSet, type Rotation } from './rotation.ts';

interface Project {
  readonly dir: string;
  readonly registration: Registration;
  readonly dryRun: boolean;
  readonly onProgress: OnProgress;
}

/** Reads certs/ and certs/next. A lost key is restored from the Secret. */
export async function setsOf(
  where: Pick<Rotation, 'cluster' | 'registration' | 'signal'>,
  { dir, registration, dryRun, onProgress }: Project,
): Promise<{ readonly current: CertificateSet | undefined; readonly next: CertificateSet | undefined }> {
  const current = readSet(dir, registration);
  return {
    current: current && !current.key ? await restoreKey(where, current, { dir, dryRun, onProgress }) : current,
    next: readNextSet(dir, registration),
  };
}

const reading = () => ({ withKey: true, now: new Date() });

/** certs/, whatever its faults: an expired certificate is a reason to rotate. */
export const readSet = (dir: string, registration: Registration): CertificateSet | undefined =>
  certificateSet(readCertificates(dir, registration, reading()));

/** @throws UsageError where certs/next cannot be used */
export function readNextSet(dir: string, registration: Registration): CertificateSet | undefined {
  const next = readNext(dir, registration, reading());
  return next && certificateSet(next);
}
