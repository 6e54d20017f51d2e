import { supersedes } from '../pki/supersedes.ts';
import type { CertificateInfo } from '../pki/types.ts';
import type { ProjectView } from '../snapshot/types.ts';

/**
 * Whether a rotation that needs no files of the project replaced its certificate: with the key of
 * the CA in a Secret, any copy and any pod can rotate. The CA stays the same. It signs itself, so
 * that no chain is needed.
 */
export function isReplacement(
  leaf: CertificateInfo,
  { issuesInCluster, certificate, authorities: roots }: ProjectView,
  now: Date,
): boolean {
  const hostname = certificate?.dnsNames[0];
  if (!issuesInCluster || !certificate || hostname === undefined) return false;
  return supersedes({ presented: [leaf], roots, hostname, now }, certificate);
}
