import { fileExists } from '../../config/file-errors.ts';
import { newKeysCommand } from '../../config/project-commands.ts';
import { servingNames } from '../../config/registration.ts';
import { UsageError } from '../../errors.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { certificatesOf, keyOf, servingFaults } from '../../project/certificates.ts';
import { removeFile, saveFile, writeFiles } from '../../project/files.ts';
import { filesOfCertificates, projectFiles } from '../../project/project.ts';
import { pathsOfSets } from '../../project/sets.ts';
import { caSecretRef } from '../ca-secret.ts';
import { type CertificateInCluster, certificateInCluster, isNewer, registeredRoots } from '../certificate-in-cluster.ts';
import { bundleText } from '../rotation/bundles.ts';
import { hasSecret, secretRef } from '../rotation/live.ts';
import type { RotateRequest } from '../rotation/request.ts';
import { type CertificateSet, certificateSet, hostOf, type Rotation } from '../rotation/rotation.ts';
import { keyInSecret } from './restore-key.ts';

type Where = Pick<Rotation, 'cluster' | 'registration' | 'signal' | 'now'> &
  Pick<RotateRequest, 'dir' | 'dryRun' | 'onProgress' | 'project'>;

/** The certificates that a project lost, as the cluster has them. */
export interface Restored {
  readonly set: CertificateSet;
  /** The older certificate in certs/ that it replaces, with its key. */
  readonly replaces?: CertificateSet;
  /** Whether certs/ does not exist, as in a pod. Only `caKey: secret` needs no files. */
  readonly hasNoFiles?: boolean;
  /** Writes the lost files, and says so. A dry run writes nothing. */
  readonly save: () => void;
}

/**
 * Finds a lost certs/tls.crt, and certs/ca.crt, in the Secret and the caBundle, as `register` uses
 * them. Writes nothing yet, so that refusals can come first.
 * @throws UsageError with the reasons when the cluster has no certificate that fits
 */
export async function restoreSet(where: Where): Promise<Restored> {
  const { registration, dir, dryRun, onProgress, project } = where;
  const { certificate } = projectFiles(dir);
  const found = await findInSecret(where);
  const set = found.fits ? certificateSet(found.issued) : undefined;
  if (!found.fits || !set) {
    const reasons = found.fits ? [] : found.reasons.map((reason) => `  ${reason}`);
    const what = `${certificate} not found, and the cluster has no certificate that matches the project:`;
    throw new UsageError([what, ...reasons].join('\n'), {
      fix: `Restore the file from another copy of the project.\nOr create new certificates: ${newKeysCommand(project)}`,
    });
  }
  const { certs } = pathsOfSets(dir);
  const hasNoFiles = caSecretRef(registration) !== undefined && !fileExists(certs);
  const save = (): void => {
    if (dryRun) return;
    writeFiles(filesOfCertificates(certs, found).filter(({ path }) => !fileExists(path)));
    const { namespace, name } = secretRef(where);
    if (!hasNoFiles) onProgress({ kind: 'note', what: `${certificate} not found; restored it from Secret ${namespace}/${name}` });
  };
  return { set, hasNoFiles, save };
}

/**
 * Finds a newer certificate of the same CA in the Secret: with the CA in a Secret, a rotation needs
 * no files of the project.
 * @returns undefined where certs/ is current, or keeps its own certificates
 */
export async function newerSet(where: Where, onDisk: CertificateSet): Promise<Restored | undefined> {
  const { dir, dryRun, onProgress } = where;
  const [own] = onDisk.presented;
  const found = own && onDisk.anchors.length > 0 ? await inCluster(where) : undefined;
  if (!own || !found || !isNewer(found.issued, own)) return undefined;
  const { certificate, key } = projectFiles(dir);
  const save = (): void => {
    if (dryRun) return;
    // The older key first: a crash must not leave it beside the newer certificate.
    if (keyOf(dir, own).key) removeFile(key);
    saveFile({ path: certificate, text: found.issued.chain, mode: 0o644 });
    const { namespace, name } = secretRef(where);
    onProgress({
      kind: 'note',
      what: `Secret ${namespace}/${name} has a newer certificate of the same CA than ${certificate}; using the certificate in the Secret`,
    });
  };
  return { set: found.set, replaces: onDisk, save };
}

/**
 * The certificate and the key in the Secret, to continue a rotation whose files are lost.
 * @returns undefined where they do not fit, or the project keeps its own certificates
 */
export async function setInSecret(where: Where): Promise<CertificateSet | undefined> {
  const found = await inCluster(where);
  const key = found && (await keyInSecret(where, found.set));
  return key && { ...found.set, key };
}

/**
 * With the CA in a Secret, an expired certificate counts too: it is a reason to rotate. The CA must
 * still be valid then.
 */
async function findInSecret({ cluster, registration, signal, now, dir }: Where): Promise<CertificateInCluster> {
  const [roots, rootsFile] = [certificatesOf(dir, 'caCertificate'), projectFiles(dir).caCertificate];
  // The project may ask for other names by now: `rotate` replaces the certificate that works.
  const names = { dns: [hostOf({ registration })], ip: [] };
  const wanted = { registration, roots, rootsFile, now: now(), names };
  const found = await certificateInCluster(cluster, wanted, signal);
  if (found.fits || !found.leaf || !caSecretRef(registration)) return found;
  const end = new Date(found.leaf.notAfter);
  return end < wanted.now ? certificateInCluster(cluster, { ...wanted, now: end }, signal) : found;
}

async function inCluster(where: Where) {
  if (!caSecretRef(where.registration) || !hasSecret(where)) return undefined;
  const found = await findInSecret(where);
  const set = found.fits ? certificateSet(found.issued) : undefined;
  return found.fits && set ? { issued: found.issued, set } : undefined;
}

/**
 * Finds a lost certs/ca.crt in the caBundles, which may trust other CAs too: the CAs that
 * signed certs/tls.crt. A file that has no certificate is damaged, not lost, and stays.
 * @returns the set with these CAs; undefined where certs/ca.crt exists, or no caBundle has one
 */
export async function restoreAuthority(
  { cluster, registration, signal, now, dir, dryRun, onProgress }: Where,
  set: CertificateSet,
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
