import { isAbsolute, join } from 'node:path';
import { fileExists } from '../config/file-errors.ts';
import { responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { UsageError } from '../errors.ts';
import { anchorsIn } from '../pki/anchors.ts';
import { noCertificate } from '../pki/authority.ts';
import { certificateFaultText } from '../pki/certificate-faults.ts';
import { inspect } from '../pki/inspect.ts';
import type { Issued } from '../pki/types.ts';
import { type CertificatesRequest, requireCertificates } from './certificates.ts';
import { projectFiles } from './project.ts';
import { readPem } from './read.ts';

/**
 * Whether certs/ holds the certificates of a project: not where others make them, and not before a
 * signer in the cluster has signed.
 */
export function keepsCertificates(dir: string, registration: Registration): boolean {
  const { inProject, signedInCluster } = responsibilitiesOf(registration);
  return inProject && (!signedInCluster || fileExists(projectFiles(dir).certificate));
}

/**
 * What the files of a project tell of its certificates: all of them where apisvc signs, only the CA
 * where others do and apisvc.yaml names a file. Then `chain` is empty.
 * @returns undefined where only the cluster knows them
 * @throws UsageError as `requireCertificates`, and for a caBundleFile that cannot be used
 */
export function issuedInFiles(dir: string, registration: Registration, request: CertificatesRequest): Issued | undefined {
  if (keepsCertificates(dir, registration)) return requireCertificates(dir, registration, request);
  const anchors = anchorsInFile(dir, registration);
  return anchors && { chain: '', anchors };
}

/** The CAs in caBundleFile; undefined where apisvc.yaml names none. @throws as `issuedInFiles` */
export function anchorsInFile(dir: string, { spec }: Registration): Issued['anchors'] | undefined {
  const { issuer } = spec.certificates;
  const file = 'caBundleFile' in issuer ? issuer.caBundleFile : undefined;
  return file === undefined ? undefined : readBundle(dir, file);
}

function readBundle(dir: string, file: string): Issued['anchors'] {
  const path = isAbsolute(file) ? file : join(dir, file);
  const text = readPem(path);
  const anchors = anchorsIn(text, 'current');
  if (anchors.length > 0) return anchors;
  const names = { caCertificate: path, caKey: path, certificate: path, key: path };
  const fault = certificateFaultText({ part: 'caCertificate', ...noCertificate(inspect(text)) }, names);
  throw new UsageError(fault, {
    fix: `Correct the init flag --ca-bundle, or spec.certificates.issuer.caBundleFile in ${projectFiles(dir).configuration}.`,
  });
}
