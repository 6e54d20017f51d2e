import { getObject } from '../../cluster/objects.ts';
import { secretEntry } from '../../manifests/secret.ts';
import { distinct } from '../../pki/anchors.ts';
import { inspect } from '../../pki/inspect.ts';
import { wouldAccept } from '../../pki/trust.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { trustedBy } from '../../snapshot/ca-bundle.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { bundleText } from './bundles.ts';
import { whileValid } from './clock.ts';
import { hasSecret, readApiServices, secretRef } from './live.ts';
import { type CertificateSet, hostOf, type Rotation } from './rotation.ts';

/**
 * The certificate that a rotation on another machine brought, for the way back: from the Secret,
 * with its CAs from the Secret and the caBundles. Its key stays in the cluster.
 * @param leaf SHA-256, from the Lease
 * @returns undefined where the Secret does not hold that certificate
 * @throws ClusterError when the user may not read the Secret or the APIServices
 */
export async function setInCluster(
  where: Pick<Rotation, 'cluster' | 'registration' | 'signal' | 'now'>,
  leaf: string | undefined,
): Promise<CertificateSet | undefined> {
  if (leaf === undefined || !hasSecret(where)) return undefined;
  const secret = await getObject(where.cluster, secretRef(where), where.signal);
  const presented = secret ? inspect(secretEntry(secret, 'tls.crt')).certificates : [];
  if (!secret || presented[0]?.fingerprint !== leaf) return undefined;
  const inBundles = (await readApiServices(where)).map(viewApiService).flatMap(trustedBy);
  const found = [...inspect(secretEntry(secret, 'ca.crt')).certificates, ...inBundles];
  const now = whileValid({ presented }, where.now)();
  const verifies = (root: CertificateInfo): boolean => wouldAccept({ presented, roots: [root], hostname: hostOf(where), now });
  const anchors = distinct(found).filter(verifies);
  return { chain: bundleText(presented), presented, leaf, anchors, key: undefined };
}
