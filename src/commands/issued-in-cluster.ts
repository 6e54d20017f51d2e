import type { Cluster } from '../cluster/cluster.ts';
import { wasRefused } from '../cluster/faults.ts';
import { inDirectory, newKeysCommand, rotateAside } from '../config/project-commands.ts';
import { caSecretName, secretName } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import type { IssuerType } from '../config/schema-certificates.ts';
import { UsageError } from '../errors.ts';
import { certificateInCluster, isNewer, type Unfit } from '../operations/certificate-in-cluster.ts';
import { outdatedCopy } from '../operations/outdated.ts';
import type { OnProgress } from '../operations/progress.ts';
import { withoutChanges } from '../operations/runner.ts';
import { caBundleOf } from '../pki/anchors.ts';
import { inspect } from '../pki/inspect.ts';
import type { CertificateInfo, Issued } from '../pki/types.ts';
import { projectFiles } from '../project/project.ts';

interface Project {
  readonly dir: string;
  readonly registration: Registration;
}

interface Run {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  /** Gets another certificate when the cluster has none that fits. */
  readonly otherwise?: () => Promise<Issued>;
}

/**
 * The certificate that is in the cluster, for a project without its private key: one that was
 * cloned from Git. Its Secret stays as it is.
 * @param files the certificates of the project
 * @throws UsageError that says where keys come from, when the cluster has no certificate that fits;
 * RefusedError when the cluster has a newer one, of another CA
 */
export async function issuedInCluster(cluster: Cluster, project: Project, files: Issued, run: Run): Promise<Issued> {
  const { signal, onProgress, otherwise } = run;
  const { dir, registration } = project;
  const paths = projectFiles(dir);
  const roots = inspect(caBundleOf(files)).certificates;
  const wanted = { registration, roots, rootsFile: paths.caCertificate, now: new Date() };
  const found = await certificateInCluster(cluster, wanted, signal);
  if (!found.fits) {
    const presented = inspect(files.chain).certificates;
    const outdated = await outdatedCopy({ cluster, registration, dir, presented, anchors: roots, now: wanted.now, signal });
    if (outdated) throw withoutChanges(outdated);
    if (otherwise) return otherwise();
    throw noKey(project, found, presented[0]);
  }
  const secret = `Secret ${registration.metadata.namespace}/${secretName(registration)}`;
  onProgress({ kind: 'note', what: `${paths.key} not found; using the certificate and the key in ${secret}, which match the project` });
  return found.issued;
}

/**
 * The certificate in the cluster, where it is newer than the one of the project and of the same CA:
 * with the CA in a Secret, `rotate` needs no files of the project.
 * @returns undefined where the files are current, or nobody may compare them
 */
export async function newerInCluster(
  cluster: Cluster,
  { dir, registration }: Project,
  files: Issued,
  { signal, onProgress }: Pick<Run, 'signal' | 'onProgress'>,
): Promise<Issued | undefined> {
  const [own] = inspect(files.chain).certificates;
  if (!own || caSecretName(registration) === undefined || registration.spec.server.external) return undefined;
  const { caCertificate: rootsFile, certificate } = projectFiles(dir);
  const wanted = { registration, roots: inspect(caBundleOf(files)).certificates, rootsFile, now: new Date() };
  const found = await certificateInCluster(cluster, wanted, signal).catch((error) => {
    // The checks of `register` say so.
    if (wasRefused(error)) return undefined;
    throw error;
  });
  if (!found?.fits || !isNewer(found.issued, own)) return undefined;
  const what = `Secret ${registration.metadata.namespace}/${secretName(registration)} has a newer certificate of the same CA than ${certificate}; using the certificate in the Secret`;
  onProgress({ kind: 'note', what });
  return found.issued;
}

/** @param own the certificate of the project. Where the cluster has it, it can be rotated. */
function noKey({ dir, registration }: Project, { reasons, leaf }: Unfit, own: CertificateInfo | undefined): UsageError {
  const { key, certificate, caCertificate } = projectFiles(dir);
  const lines = [
    `${key} not found, and the cluster has no certificate that matches the project:`,
    ...reasons.map((reason) => `  ${reason}`),
  ];
  const fix = [
    `Copy ${key}, ${certificate} and ${caCertificate} from the machine that created the project. The certificate and its CA stay the same.`,
    `Or use the key in another directory: ${inDirectory('apisvc register --keys DIR', dir)}`,
    ...renewal(dir, registration.spec.certificates.issuer.type, leaf && leaf.fingerprint === own?.fingerprint),
  ];
  return new UsageError(lines.join('\n'), { fix: fix.join('\n') });
}

/** @param isOwn whether the Secret has the certificate of the project; undefined if it has none */
function renewal(directory: string, issuer: IssuerType, isOwn: boolean | undefined): readonly string[] {
  if (isOwn)
    return [
      'Or replace the certificate in the cluster: apisvc rotate',
      '  If certs/ca.key does not exist, replace the CA too: apisvc rotate --ca',
    ];
  const everyCopy = '  Then copy the new files to every other copy of the project.';
  if (isOwn === false)
    return [`Or replace the CA, the certificate and the key in the cluster: ${rotateAside({ directory, issuer })}`, everyCopy];
  return [`Or create a new CA, certificate and key: ${newKeysCommand({ directory, issuer })}`, everyCopy];
}
