import { resources } from '../../cluster/resources.ts';
import { getTrustBundle } from '../../cluster/signing-requests.ts';
import type { Need } from '../../cluster/status.ts';
import type { Registration } from '../../config/schema.ts';
import { RefusedError } from '../../errors.ts';
import { anchorsIn } from '../../pki/anchors.ts';
import type { Anchor } from '../../pki/types.ts';
import { anchorsInFile } from '../../project/issued.ts';
import type { Waiting } from '../wait.ts';

/** The ClusterTrustBundle that a registration names. */
function trustBundleOf({ spec }: Registration): string | undefined {
  const { issuer } = spec.certificates;
  return issuer.type === 'csr' ? issuer.clusterTrustBundle : undefined;
}

/** The permissions to read the CAs of the signer. */
export function anchorNeeds(registration: Registration): readonly Need[] {
  const name = trustBundleOf(registration);
  return name === undefined ? [] : [{ verb: 'get', ref: { resource: resources.ClusterTrustBundle, namespace: undefined, name } }];
}

/**
 * The CAs of the signer: those in caBundleFile, or those of the ClusterTrustBundle.
 * @throws UsageError for a file that cannot be used; RefusedError for a ClusterTrustBundle that
 * does not exist, or has no certificate; as `getTrustBundle`
 */
export async function signerAnchors(
  { cluster, signal }: Pick<Waiting, 'cluster' | 'signal'>,
  dir: string,
  registration: Registration,
): Promise<readonly Anchor[]> {
  const inFile = anchorsInFile(dir, registration);
  if (inFile) return inFile;
  const name = trustBundleOf(registration) ?? '';
  const found = await getTrustBundle(cluster, name, signal);
  const { trustBundle = '' } = (found?.spec ?? {}) as { readonly trustBundle?: string };
  const anchors = anchorsIn(trustBundle, 'current');
  if (anchors.length > 0) return anchors;
  throw new RefusedError(`ClusterTrustBundle "${name}" ${found ? 'has no certificate' : 'not found'}`, {
    fix: 'Correct spec.certificates.issuer.clusterTrustBundle in apisvc.yaml, or set caBundleFile instead.',
  });
}
