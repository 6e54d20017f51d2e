import { fileExists } from '../../config/file-errors.ts';
import { newKeysCommand } from '../../config/project-commands.ts';
import { servingNames } from '../../config/registration.ts';
import { UsageError } from '../../errors.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { certificatesOf, servingFaults } from '../../project/certificates.ts';
import { saveFile, writeFiles } from '../../project/files.ts';
import { filesOfCertificates, projectFiles } from '../../project/project.ts';
import { pathsOfSets } from '../../project/sets.ts';
import { certificateInCluster, registeredRoots } from '../certificate-in-cluster.ts';
import { bundleText } from './bundles.ts';
import { secretRef } from './live.ts';
import type { RotateRequest } from './request.ts';
import { type CertificateSet, certificateSet, hostOf, type Rotation } from './rotation.ts';

/** The certificates that a project lost, as the cluster has them. */
export interface Restored {
  readonly set: CertificateSet;
  /** Writes the lost files, and says so. A dry run writes nothing. */
  readonly save: () => void;
}

/**
 * Finds a lost certs/tls.crt, and certs/ca.crt, in the Secret and the caBundle, as `register` uses
 * them. Writes nothing yet, so that refusals can come first.
 * @throws UsageError with the reasons when the cluster has no certificate that fits
 */
export async function restoreSet(
  where: Pick<Rotation, 'cluster' | 'registration' | 'signal' | 'now'>,
  { dir, dryRun, onProgress, project }: Pick<RotateRequest, 'dir' | 'dryRun' | 'onProgress' | 'project'>,
): Promise<Restored> {
  const { cluster, registration, signal, now } = where;
  const { certificate, caCertificate } = projectFiles(dir);
  const roots = certificatesOf(dir, 'caCertificate');
  // The project may ask for other names by now: `rotate` replaces the certificate that works.
  const names = { dns: [hostOf({ registration })], ip: [] };
  const found = await certificateInCluster(cluster, { registration, roots, rootsFile: caCertificate, now: now(), names }, signal);
  const set = found.fits ? certificateSet(found.issued) : undefined;
  if (!found.fits || !set) {
    const reasons = found.fits ? [] : found.reasons.map((reason) => `  ${reason}`);
    const what = `${certificate} not found, and the cluster has no certificate that fits the project:`;
    throw new UsageError([what, ...reasons].join('\n'), {
      fix: `Restore the file from another copy of the project.\nOr create new certificates: ${newKeysCommand(project)}`,
    });
  }
  const save = (): void => {
    if (dryRun) return;
    writeFiles(filesOfCertificates(pathsOfSets(dir).certs, found).filter(({ path }) => !fileExists(path)));
    const { namespace, name } = secretRef(where);
    onProgress({ kind: 'note', what: `${certificate} not found; restored it from Secret ${namespace}/${name}` });
  };
  return { set, save };
}

/**
 * Finds a lost certs/ca.crt in the caBundles, which may trust other CAs too: the CAs that
 * signed certs/tls.crt. A file that has no certificate is damaged, not lost, and stays.
 * @returns the set with these CAs; undefined where certs/ca.crt exists, or no caBundle has one
 */
export async function restoreAuthority(
  { cluster, registration, signal, now }: Pick<Rotation, 'cluster' | 'registration' | 'signal' | 'now'>,
  set: CertificateSet,
  { dir, dryRun, onProgress }: Pick<RotateRequest, 'dir' | 'dryRun' | 'onProgress'>,
): Promise<Restored | undefined> {
  const { caCertificate } = projectFiles(dir);
  if (set.anchors.length > 0 || fileExists(caCertificate)) return undefined;
  const signed = (root: CertificateInfo): boolean =>
    servingFaults(set.presented, [root], servingNames(registration), now()).every(({ code }) => code !== 'unknown-authority');
  const anchors = (await registeredRoots(cluster, registration, signal)).filter(signed);
  if (anchors.length === 0) return undefined;
  const save = (): void => {
    if (dryRun) return;
    saveFile({ path: caCertificate, text: bundleText(anchors), mode: 0o644 });
    onProgress({ kind: 'note', what: `${caCertificate} not found; restored it from the caBundle` });
  };
  return { set: { ...set, anchors }, save };
}
