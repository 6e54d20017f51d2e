import { wasRefused } from '../../cluster/faults.ts';
import { getObject } from '../../cluster/objects.ts';
import { clusterIssuerNamespace, namespacedName, type ObjectRef, resources } from '../../cluster/resources.ts';
import type { Need } from '../../cluster/status.ts';
import type { Registration } from '../../config/schema.ts';
import { caName } from '../../manifests/cert-manager.ts';
import { secretEntry } from '../../manifests/secret.ts';
import { inspect } from '../../pki/inspect.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { caSecretOf, viewIssuerRef } from '../../snapshot/cert-manager-view.ts';
import type { Step } from '../runner.ts';
import { certificateRef, issuanceNeeds } from './issuance.ts';
import { issue, type Where, type Writing } from './renew-step.ts';

/** The CA that signs the next certificate. */

const secretRef = (namespace: string, name: string): ObjectRef => ({ resource: resources.Secret, namespace, name });

/** Whether apisvc declares the CA, so that no other server uses it. */
export const isOwnCa = ({ spec: { certificates } }: Registration): boolean =>
  certificates.issuer.type === 'cert-manager' && !certificates.issuer.issuerRef;

/** The issuer of the user; undefined where there is none, or one that is not of cert-manager. */
function issuerRefOf({ metadata, spec: { certificates } }: Registration): ObjectRef | undefined {
  const ref = certificates.issuer.type === 'cert-manager' ? certificates.issuer.issuerRef : undefined;
  return ref && viewIssuerRef(ref, metadata.namespace);
}

/** The permissions to read the CA that signs. The Secret of a user's issuer is not known yet. */
export function signerNeeds(registration: Registration): readonly Need[] {
  const own = isOwnCa(registration) ? secretRef(registration.metadata.namespace, caName(registration)) : undefined;
  const ref = own ?? issuerRefOf(registration);
  return ref ? [{ verb: 'get', ref, optional: true }] : [];
}

/** @returns undefined where the issuer has no CA in a Secret */
async function signerRef({ cluster, signal, registration }: Where): Promise<ObjectRef | undefined> {
  if (isOwnCa(registration)) return secretRef(registration.metadata.namespace, caName(registration));
  const ref = issuerRefOf(registration);
  const found = ref && (await getObject(cluster, ref, signal));
  return ref && found && caSecretOf(ref, found);
}

/**
 * The certificates of the CA that signs. kube-apiserver sends its key too, which nothing keeps.
 * @returns undefined where the issuer does not tell them, or the user may not read them
 */
export async function readSigner(where: Where): Promise<readonly CertificateInfo[] | undefined> {
  const note = (why: string): undefined => {
    where.onProgress({ kind: 'note', what: `not checked: whether the CA of the issuer changed (${why})` });
  };
  try {
    const ref = await signerRef(where);
    if (!ref) return undefined;
    const secret = await getObject(where.cluster, ref, where.signal);
    return secret ? inspect(secretEntry(secret, 'tls.crt')).certificates : note(notFound(ref));
  } catch (error) {
    if (!wasRefused(error)) throw error;
    return note((error as Error).message);
  }
}

const notFound = (ref: ObjectRef): string =>
  `Secret ${namespacedName(ref)} not found${ref.namespace === clusterIssuerNamespace ? '; for a ClusterIssuer, apisvc reads only this namespace' : ''}`;

const shareAny = (one: readonly CertificateInfo[], others: readonly CertificateInfo[]): boolean =>
  one.some(({ fingerprint }) => others.some((other) => other.fingerprint === fingerprint));

/** Whether a certificate with these CAs has an earlier CA than the one that signs. */
export const isEarlier = (anchors: readonly CertificateInfo[], signer: readonly CertificateInfo[] = []): boolean =>
  signer.length > 0 && !shareAny(anchors, signer);

/** Has cert-manager renew the CA. It signs nothing until the serving certificate is renewed. */
export function renewCaStep(where: Writing, from: readonly CertificateInfo[]): Step {
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
