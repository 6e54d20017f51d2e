import { getObject } from '../../cluster/objects.ts';
import { RefusedError } from '../../errors.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { untrusted } from './bundles.ts';
import { certificateDate } from './certificate-date.ts';
import { hasSecret, leafOf, readApiServices, secretRef } from './live.ts';
import { type CertificateSet, type Rotation, serviceOf } from './rotation.ts';

type Where = Pick<Rotation, 'cluster' | 'signal' | 'registration'>;

/**
 * Checks, before a rotation begins, that the project describes what runs in the cluster.
 * @throws RefusedError with every difference
 */
export async function requireAgreement(where: Where, current: CertificateSet): Promise<void> {
  const reasons = [...(await secretFaults(where, current)), ...(await bundleFaults(where, current))];
  if (reasons.length === 0) return;
  throw new RefusedError(`the project differs from the cluster: ${reasons.join('; ')}\nnothing was changed`, {
    fix: 'See the differences: apisvc status\nOr register the project again: apisvc register',
  });
}

async function secretFaults(where: Where, current: CertificateSet): Promise<readonly string[]> {
  if (!hasSecret(where)) return [];
  const ref = secretRef(where);
  const found = await getObject(where.cluster, ref, where.signal);
  if (!found) return [`Secret ${ref.namespace}/${ref.name} not found`];
  const leaf = leafOf(found);
  if (leaf?.fingerprint === current.leaf) return [];
  return [
    `Secret ${ref.namespace}/${ref.name} holds ${leaf ? certificateDate(leaf) : 'no certificate'}, not the certificate in certs/tls.crt`,
  ];
}

async function bundleFaults(where: Where, current: CertificateSet): Promise<readonly string[]> {
  const { namespace, name } = serviceOf(where);
  const found = await readApiServices(where);
  if (found.length === 0) return [`no APIService leads to Service ${namespace}/${name}`];
  return found
    .map(viewApiService)
    .filter((api) => !api.insecureSkipTLSVerify && untrusted(api, current.anchors, new Date()).length > 0)
    .map((api) => `the caBundle of apiservice/${api.name} lacks the CA in certs/ca.crt`);
}

/** Whether the way back exists: some caBundle trusts the old CA still, or it never left. */
export async function canGoBack(where: Where, to: CertificateSet): Promise<boolean> {
  const now = new Date();
  const found = (await readApiServices(where)).map(viewApiService);
  return found.some((api) => untrusted(api, to.anchors, now).length < to.anchors.length);
}
