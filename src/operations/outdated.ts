import type { Cluster } from '../cluster/cluster.ts';
import { getObject } from '../cluster/objects.ts';
import { asideCommand } from '../config/project-commands.ts';
import { serverNameOf } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { shellWord } from '../config/shell-word.ts';
import { RefusedError } from '../errors.ts';
import { projectAnnotation, projectOf } from '../manifests/labels.ts';
import { secretEntry } from '../manifests/secret.ts';
import { distinct } from '../pki/anchors.ts';
import { inspect } from '../pki/inspect.ts';
import { supersedes } from '../pki/supersedes.ts';
import { timeText } from '../pki/time-text.ts';
import type { CertificateInfo } from '../pki/types.ts';
import { projectFiles } from '../project/project.ts';
import { rootsInCluster } from './certificate-in-cluster.ts';
import { secretRef } from './rotation/live.ts';

/** A copy of a project whose certificate was replaced in the cluster, from another copy. */

export interface CopyCheck {
  readonly cluster: Cluster;
  readonly registration: Registration;
  /** The directory of the project. */
  readonly dir: string;
  /** The serving certificate of the project, with its intermediates, and its CAs. */
  readonly presented: readonly CertificateInfo[];
  readonly anchors: readonly CertificateInfo[];
  readonly now: Date;
  readonly signal: AbortSignal;
}

/**
 * Finds a certificate in the Secret that replaced the one of the project: it belongs to the same
 * registration, was issued later, and the CA of the project or one in the cluster accepts it.
 * @returns the refusal to go back to the older certificate, with both of them and the way out
 * @throws ClusterError when the user may not read the Secret or the APIServices
 */
export async function outdatedCopy({ cluster, registration, signal, ...own }: CopyCheck): Promise<RefusedError | undefined> {
  const { dir, anchors, now } = own;
  const [leaf] = own.presented;
  if (!leaf || registration.spec.server.external) return undefined;
  const { namespace } = registration.metadata;
  const ref = secretRef({ registration });
  const secret = await getObject(cluster, ref, signal);
  if (!secret || (secret.metadata.annotations?.[projectAnnotation] ?? projectOf(registration)) !== projectOf(registration))
    return undefined;
  const presented = inspect(secretEntry(secret, 'tls.crt')).certificates;
  const hostname = serverNameOf({ namespace, name: registration.spec.service.name });
  const trusted = await rootsInCluster(cluster, { registration, secret }, signal);
  const roots = distinct([...trusted.roots, ...anchors]);
  const [current] = presented;
  if (!current || !supersedes({ presented, roots, hostname, now }, leaf)) return undefined;
  // A caBundle that trusts both CAs does not make the older one the current one.
  const isSameCa = supersedes({ presented, roots: anchors, hostname, now }, leaf);
  const files = projectFiles(dir);
  const signers = isSameCa ? [] : trusted.roots.filter((root) => supersedes({ presented, roots: [root], hostname, now }, leaf));
  const lines = [
    `  Secret ${namespace}/${ref.name}: ${describeIssued(current)}`,
    ...signers.map((root) => `  ${trusted.place}: ${describeIssued(root)}`),
    `  ${files.certificate}: ${describeIssued(leaf)}`,
    ...(isSameCa ? [] : anchors.map((root) => `  ${files.caCertificate}: ${describeIssued(root)}`)),
  ];
  return new RefusedError(
    [`the cluster has a newer certificate than this copy of the project${isSameCa ? '' : ', signed by another CA'}:`, ...lines].join('\n'),
    { fix: wayOut(dir, isSameCa) },
  );
}

/** Lost certificates are those of the cluster, for `register` and for `rotate`. */
function wayOut(dir: string, isSameCa: boolean): string {
  const { certificate, key } = projectFiles(dir);
  // The key of a CA that stays in use is needed for the next certificate.
  const away = isSameCa ? `rm -f ${shellWord(certificate)} ${shellWord(key)}` : asideCommand(dir);
  return [
    'Get the current certs/ from the copy of the project in which the certificate was rotated, for example: git pull',
    `Or replace the files of this copy with the certificates in the cluster: ${away} && apisvc register`,
  ].join('\n');
}

/** `CN=api.wardle.svc, SHA-256 AB:CD:…, issued on 2026-11-28T…, expires on 2027-11-28T…`. */
export const describeIssued = ({ subject, dnsNames, fingerprint, notBefore, notAfter }: CertificateInfo): string =>
  `${subject || dnsNames[0]}, SHA-256 ${fingerprint}, issued on ${timeText(notBefore)}, expires on ${timeText(notAfter)}`;
