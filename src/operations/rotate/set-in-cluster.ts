import { getObject } from '../../cluster/objects.ts';
import { secretEntry } from '../../manifests/secret.ts';
import { distinct } from '../../pki/anchors.ts';
import { inspect } from '../../pki/inspect.ts';
import { wouldAccept } from '../../pki/trust.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { trustedBy } from '../../snapshot/ca-bundle.ts';
import { collectContext } from '../../snapshot/collect/context.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { bundleText } from '../rotation/bundles.ts';
import { whileValid } from '../rotation/clock.ts';
import { hasSecret, readApiServices, secretRef } from '../rotation/live.ts';
import { type CertificateSet, hostOf, type Rotation, serviceOf } from '../rotation/rotation.ts';
import { servedByAll } from '../served.ts';

type Where = Pick<Rotation, 'cluster' | 'registration' | 'signal' | 'now'>;

/**
 * The certificate that a rotation on another machine brought, for the way back: from the Secret, or
 * from a pod that still serves it after the Secret has the old one. Its CAs are from the Secret and
 * the caBundles, and its key stays in the cluster.
 * @param leaf SHA-256, from the Lease
 * @returns only the fingerprint where nothing has the certificate any more; undefined without one
 * @throws ClusterError when the user may not read the Secret, the APIServices or the pods
 */
export async function setInCluster(where: Where, leaf: string | undefined): Promise<CertificateSet | undefined> {
  if (leaf === undefined) return undefined;
  const secret = hasSecret(where) ? await getObject(where.cluster, secretRef(where), where.signal) : undefined;
  const inSecret = (entry: string): readonly CertificateInfo[] => (secret ? inspect(secretEntry(secret, entry)).certificates : []);
  const isWanted = ([first]: readonly CertificateInfo[]): boolean => first?.fingerprint === leaf;
  const presented = isWanted(inSecret('tls.crt')) ? inSecret('tls.crt') : ((await servedIn(where)).find(isWanted) ?? []);
  if (presented.length === 0) return { chain: '', presented, leaf, anchors: [], key: undefined };
  const inBundles = (await readApiServices(where)).map(viewApiService).flatMap(trustedBy);
  const now = whileValid({ presented }, where.now)();
  const verifies = (root: CertificateInfo): boolean => wouldAccept({ presented, roots: [root], hostname: hostOf(where), now });
  const anchors = distinct([...inSecret('ca.crt'), ...inBundles]).filter(verifies);
  return { chain: bundleText(presented), presented, leaf, anchors, key: undefined };
}

/** The certificates that all pods and endpoints serve, each with its chain. */
async function servedIn({ cluster, registration, signal }: Where): Promise<readonly (readonly CertificateInfo[])[]> {
  const { namespace, name: service } = serviceOf({ registration });
  const { port } = registration.spec.service;
  const { probes } = await servedByAll(collectContext(cluster, signal), { namespace, service, port, roots: [] });
  return probes.flatMap(({ handshake }) => (handshake.kind === 'served' ? [handshake.certificates] : []));
}
