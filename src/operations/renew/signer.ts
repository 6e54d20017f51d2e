import { wasRefused } from '../../cluster/faults.ts';
import { getObject } from '../../cluster/objects.ts';
import { clusterIssuerNamespace, type ObjectRef, resources } from '../../cluster/resources.ts';
import type { Registration } from '../../config/schema.ts';
import { caName } from '../../manifests/cert-manager.ts';
import { secretEntry } from '../../manifests/secret.ts';
import { inspect } from '../../pki/inspect.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { type Json, textOf } from '../../snapshot/views.ts';
import type { Step } from '../runner.ts';
import { certificateRef, issuanceNeeds } from './issuance.ts';
import { issue, type Where } from './renew-step.ts';

/** The CA that signs the next certificate. */

const secretRef = (namespace: string, name: string): ObjectRef => ({ resource: resources.Secret, namespace, name });

/** Whether apisvc declares the CA, so that no other server uses it. */
export const isOwnCa = ({ spec: { certificates } }: Registration): boolean =>
  certificates.issuer.type === 'cert-manager' && !certificates.issuer.issuerRef;

/** @returns undefined where the issuer has no CA in a Secret */
async function signerRef({ cluster, signal, registration }: Where): Promise<ObjectRef | undefined> {
  const { namespace } = registration.metadata;
  const { issuer } = registration.spec.certificates;
  if (issuer.type !== 'cert-manager') return undefined;
  if (!issuer.issuerRef) return secretRef(namespace, caName(registration));
  const { kind, group, name } = issuer.issuerRef;
  if (group !== 'cert-manager.io') return undefined;
  const isCluster = kind === 'ClusterIssuer';
  const resource = isCluster ? resources.ClusterIssuer : resources.Issuer;
  const found: Json = await getObject(cluster, { resource, namespace: isCluster ? undefined : namespace, name }, signal);
  const secret = textOf(found?.spec?.ca?.secretName);
  return secret === '' ? undefined : secretRef(isCluster ? clusterIssuerNamespace : namespace, secret);
}

/**
 * The certificates of the CA that signs. Its key stays in the cluster.
 * @returns undefined where the issuer does not tell them, or the user may not read them
 */
export async function readSigner(where: Where): Promise<readonly CertificateInfo[] | undefined> {
  try {
    const ref = await signerRef(where);
    const secret = ref && (await getObject(where.cluster, ref, where.signal));
    return secret && inspect(secretEntry(secret, 'tls.crt')).certificates;
  } catch (error) {
    if (!wasRefused(error)) throw error;
    where.onProgress({ kind: 'note', what: `not checked: whether the CA of the issuer changed (${(error as Error).message})` });
    return undefined;
  }
}

const shareAny = (one: readonly CertificateInfo[], others: readonly CertificateInfo[]): boolean =>
  one.some(({ fingerprint }) => others.some((other) => other.fingerprint === fingerprint));

/** Whether a certificate with these CAs has an earlier CA than the one that signs. */
export const isEarlier = (anchors: readonly CertificateInfo[], signer: readonly CertificateInfo[] = []): boolean =>
  signer.length > 0 && !shareAny(anchors, signer);

/** Has cert-manager renew the CA. It signs nothing until the serving certificate is renewed. */
export function renewCaStep(where: Where, from: readonly CertificateInfo[]): Step {
  const { registration } = where;
  const { namespace } = registration.metadata;
  const name = caName(registration);
  const ref = certificateRef(namespace, name);
  const isRenewed = async (): Promise<boolean> => isEarlier(from, await readSigner(where));
  return {
    id: 'renew-ca',
    title: `Renewing Certificate ${namespace}/${name}`,
    needs: () => [...issuanceNeeds(ref), { verb: 'get', ref: secretRef(namespace, name) }],
    observe: async () => ({ state: (await isRenewed()) ? 'done' : 'pending' }),
    run: () => issue(where, ref, isRenewed),
  };
}
