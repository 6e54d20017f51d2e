import { fileExists } from '../config/file-errors.ts';
import { apiServiceNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import type { CertificateInfo } from '../pki/types.ts';
import { certificatesOf, whyUnreadable } from './certificates.ts';
import { certificateFiles, readRegistration } from './project.ts';
import { pathsOfSets } from './sets.ts';

/** What a project expects in the cluster: the names of its APIServices, and its certificates. */
export interface ProjectTrust {
  readonly registration: Registration;
  readonly names: readonly string[];
  readonly directory: string;
  /** Empty without certs/ca.crt, for example in a clone without the ignored files. */
  readonly authorities: readonly CertificateInfo[];
  readonly certificate?: CertificateInfo;
}

/** The certificates of a rotation that are not in use yet. Empty without certs/next/. */
export const readNextTrust = (directory: string): Pick<ProjectTrust, 'authorities' | 'certificate'> => {
  const [certificate] = certificatesOf(directory, 'certificate', 'next');
  return { authorities: certificatesOf(directory, 'caCertificate', 'next'), ...(certificate ? { certificate } : {}) };
};

/** Whether certs/next has all that a rotation continues with. No key is read. */
export const isNextComplete = (directory: string, { authorities, certificate }: ReturnType<typeof readNextTrust>): boolean =>
  authorities.length > 0 && certificate !== undefined && fileExists(certificateFiles(pathsOfSets(directory).next).key);

/**
 * Reads the certificates of a project directory, without their faults.
 * @param registration of the directory, if it was read before
 * @throws as `readRegistration`
 */
export function readTrust(directory: string, registration = readRegistration(directory)): ProjectTrust {
  const [certificate] = certificatesOf(directory, 'certificate');
  return {
    registration,
    names: apiServiceNames(registration),
    directory,
    authorities: certificatesOf(directory, 'caCertificate'),
    ...(certificate ? { certificate } : {}),
  };
}

/**
 * The files of certs/ and certs/next/ that exist, but cannot be read or have no certificate.
 * @returns the reasons by the path below certs/
 */
export function unreadableFiles(directory: string): Readonly<Record<string, string>> {
  const files = [
    ['ca.crt', whyUnreadable(directory, 'caCertificate', 'current')],
    ['tls.crt', whyUnreadable(directory, 'certificate', 'current')],
    ...(fileExists(pathsOfSets(directory).next)
      ? ([
          ['next/ca.crt', whyUnreadable(directory, 'caCertificate', 'next')],
          ['next/tls.crt', whyUnreadable(directory, 'certificate', 'next')],
        ] as const)
      : []),
  ] as const;
  return Object.fromEntries(files.flatMap(([name, why]) => (why === undefined ? [] : [[name, why]])));
}
