import type { Cluster } from '../cluster/cluster.ts';
import { caKeyInCluster, caKeyNeeds, caSecretRef } from '../operations/ca-secret.ts';
import type { RotateRequest } from '../operations/rotation/request.ts';
import type { PrivateKey } from '../pki/private-key.ts';
import { hasCaKey } from '../project/ca-key.ts';

export const newCa = 'To create a new CA: apisvc rotate --ca';

interface Signing {
  /** The key that the user gives. */
  readonly caKey: PrivateKey | undefined;
  readonly issueWith: (caKey: PrivateKey) => RotateRequest['issue'];
}

/**
 * How `rotate` signs a certificate with a CA whose private key is in a Secret. A key that the user
 * gives, or that `register` has not moved to the Secret yet, comes first.
 */
export function signedBySecret(
  cluster: Cluster,
  { dir, registration, kind, abort, signal }: RotateRequest,
  { caKey, issueWith }: Signing,
): Partial<Pick<RotateRequest, 'issue' | 'issueNeeds'>> {
  const ref = caSecretRef(registration);
  if (!ref || kind === 'ca' || abort || caKey || hasCaKey(dir)) return {};
  return {
    issueNeeds: caKeyNeeds(registration),
    issue: async (anchors) => issueWith(await caKeyInCluster({ cluster, registration, signal }, ref, { anchors, newCa }))(anchors),
  };
}
