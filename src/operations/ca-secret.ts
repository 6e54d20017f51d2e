import { X509Certificate } from 'node:crypto';
import type { Cluster } from '../cluster/cluster.ts';
import { getObject } from '../cluster/objects.ts';
import { type ObjectRef, resources } from '../cluster/resources.ts';
import type { Need } from '../cluster/status.ts';
import { caSecretName } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { RefusedError } from '../errors.ts';
import { type CaPair, caEntries } from '../manifests/ca-secret.ts';
import { projectAnnotation, projectOf } from '../manifests/labels.ts';
import { secretEntry } from '../manifests/secret.ts';
import type { KubeObject } from '../manifests/types.ts';
import { inspect } from '../pki/inspect.ts';
import { readPrivateKey, toPrivateKey } from '../pki/keys.ts';
import type { PrivateKey } from '../pki/private-key.ts';
import type { CertificateInfo } from '../pki/types.ts';
import { listedApiServices } from './rotation/live.ts';

/** The Secret with the CA of a project and its private key. */

interface Where {
  readonly cluster: Cluster;
  readonly registration: Registration;
  readonly signal: AbortSignal;
}

/** The Secret; undefined where a file has the key. */
export function caSecretRef(registration: Registration): ObjectRef | undefined {
  const name = caSecretName(registration);
  return name === undefined ? undefined : { resource: resources.Secret, namespace: registration.metadata.namespace, name };
}

/**
 * The permissions to sign with the key in the Secret. A pod that has only apisvc.yaml finds the CA
 * in the caBundles.
 */
export function caKeyNeeds(registration: Registration): readonly Need[] {
  const ref = caSecretRef(registration);
  if (!ref) return [];
  return [ref, ...listedApiServices(registration)].map((each) => ({ verb: 'get', ref: each }));
}

/** `Secret demo/api-ca`, for messages. */
export const nameOfCaSecret = ({ namespace, name }: ObjectRef): string => `Secret ${namespace}/${name}`;

/** The CA in some entries of the Secret; undefined where the key is missing or of another CA. */
export function caIn(secret: KubeObject, which: keyof typeof caEntries): CaPair | undefined {
  const certificate = secretEntry(secret, caEntries[which].certificate);
  const { key } = readPrivateKey(secretEntry(secret, caEntries[which].key));
  const isOwn = key && inspect(certificate).certificates.some(({ pem }) => new X509Certificate(pem).checkPrivateKey(key));
  return isOwn ? { certificate, key: toPrivateKey(key) } : undefined;
}

/** Whether a CA is one of these. */
export const isOneOf = ({ key }: CaPair, anchors: readonly CertificateInfo[]): boolean => {
  const { key: own } = readPrivateKey(key.reveal());
  return own !== undefined && anchors.some(({ pem }) => new X509Certificate(pem).checkPrivateKey(own));
};

/** Why apisvc must not write the Secret; undefined where it may, or where it does not exist. */
export function foreignFault(
  secret: KubeObject | undefined,
  ref: ObjectRef,
  registration: Registration,
  fix = 'Choose another name for the Secret with the CA: set spec.certificates.issuer.caSecretName in apisvc.yaml.',
): RefusedError | undefined {
  if (!secret || secret.metadata.annotations?.[projectAnnotation] === projectOf(registration)) return undefined;
  return new RefusedError(`${nameOfCaSecret(ref)} already exists, but does not belong to this project`, { fix });
}

/**
 * Reads the private key of the project's CA from its Secret.
 * @param anchors the CA certificates of the project
 * @param newCa how to go on without the key
 * @throws RefusedError where the Secret does not have it; ClusterError when the user may not read
 * the Secret
 */
export async function caKeyInCluster(
  { cluster, registration, signal }: Where,
  ref: ObjectRef,
  { anchors, newCa }: { readonly anchors: readonly CertificateInfo[]; readonly newCa: string },
): Promise<PrivateKey> {
  const secret = await getObject(cluster, ref, signal);
  const needed = 'rotate needs the private key of the CA to sign the new serving certificate\nnothing was changed';
  const elsewhere =
    'If another copy of the project still has certs/ca.key, register from the directory of that copy: apisvc register -C DIR';
  if (!secret) throw new RefusedError(`${nameOfCaSecret(ref)} not found; ${needed}`, { fix: `${elsewhere}\n${newCa}` });
  const foreign = foreignFault(secret, ref, registration);
  if (foreign) throw foreign;
  const pairs = (['current', 'next'] as const).flatMap((which) => caIn(secret, which) ?? []);
  // Without any CA certificate, the caller says so.
  const own = pairs.find((pair) => anchors.length === 0 || isOneOf(pair, anchors));
  if (own) return own.key;
  if (pairs.length === 0) {
    throw new RefusedError(`${nameOfCaSecret(ref)} has no CA private key; ${needed}`, { fix: `${elsewhere}\n${newCa}` });
  }
  throw new RefusedError(`${nameOfCaSecret(ref)} has a private key that does not match certs/ca.crt; ${needed}`, {
    fix: `If the CA was rotated in another copy of the project, get certs/ from that copy, for example: git pull\n${newCa}`,
  });
}
