import { getObject, listObjects } from '../../cluster/objects.ts';
import { type ObjectRef, resources } from '../../cluster/resources.ts';
import type { RotatedService } from '../../cluster/rotation-lease.ts';
import type { Need } from '../../cluster/status.ts';
import { apiServiceNames, secretName } from '../../config/registration.ts';
import type { Registration } from '../../config/schema.ts';
import { RefusedError } from '../../errors.ts';
import { secretEntry } from '../../manifests/secret.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { inspect } from '../../pki/inspect.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { type Rotation, serviceOf } from './rotation.ts';

/** The places in the cluster that a rotation changes, as they are now. */

/** Any APIService. */
export const anyApiService: ObjectRef = { resource: resources.APIService, namespace: undefined, name: '*' };

/** The permissions to change any caBundle. */
export const bundleNeeds: readonly Need[] = ['get', 'list', 'patch'].map((verb) => ({ verb, ref: anyApiService }));

/** Reads every APIService that leads to the Service, also those of other projects. */
export async function readApiServices(rotation: Pick<Rotation, 'cluster' | 'signal' | 'registration'>): Promise<readonly KubeObject[]> {
  const all = await listObjects(rotation.cluster, { resource: resources.APIService }, rotation.signal);
  return all.filter(leadsTo(serviceOf(rotation)));
}

/** The APIServices that apisvc.yaml lists. */
export const listedApiServices = (registration: Registration): readonly ObjectRef[] =>
  apiServiceNames(registration).map((name) => ({ resource: resources.APIService, namespace: undefined, name }));

/** Reads the APIServices that apisvc.yaml lists, as far as they lead to the Service. */
export async function readListedApiServices({
  cluster,
  signal,
  registration,
}: Pick<Rotation, 'cluster' | 'signal' | 'registration'>): Promise<readonly KubeObject[]> {
  const found = await Promise.all(listedApiServices(registration).map((ref) => getObject(cluster, ref, signal)));
  return found.filter((object) => object !== undefined).filter(leadsTo(serviceOf({ registration })));
}

/** Whether an APIService leads to a Service. */
export const leadsTo =
  ({ namespace, name }: RotatedService) =>
  (object: KubeObject): boolean => {
    const { service } = viewApiService(object);
    return service?.namespace === namespace && service.name === name;
  };

/**
 * The APIServices whose caBundles a rotation writes. One with insecureSkipTLSVerify, which may have
 * no caBundle, is refused before the first write, so that the way back leaves it alone.
 */
export async function readRotated(rotation: Rotation): Promise<readonly KubeObject[]> {
  const found = await readApiServices(rotation);
  return rotation.direction === 'back' ? found.filter((each) => !viewApiService(each).insecureSkipTLSVerify) : found;
}

/** The Secret with the serving certificate. */
export const secretRef = ({ registration }: Pick<Rotation, 'registration'>): ObjectRef => ({
  resource: resources.Secret,
  namespace: registration.metadata.namespace,
  name: secretName(registration),
});

/** The permissions to change the Secret. */
export const secretNeeds = (rotation: Pick<Rotation, 'registration'>): readonly Need[] =>
  ['get', 'patch'].map((verb) => ({ verb, ref: secretRef(rotation) }));

/** Whether apisvc writes the certificate into a Secret. A server outside the cluster has none. */
export const hasSecret = ({ registration }: Pick<Rotation, 'registration'>): boolean => !registration.spec.server.external;

/** @throws RefusedError where it does not exist */
export async function readSecret(rotation: Pick<Rotation, 'cluster' | 'signal' | 'registration'>): Promise<KubeObject> {
  const ref = secretRef(rotation);
  const found = await getObject(rotation.cluster, ref, rotation.signal);
  if (found) return found;
  throw new RefusedError(`Secret ${ref.namespace}/${ref.name} not found`, { fix: 'Create it: apisvc register' });
}

/** The serving certificate in a Secret. */
export const leafOf = (secret: KubeObject): CertificateInfo | undefined => inspect(secretEntry(secret, 'tls.crt')).certificates[0];
