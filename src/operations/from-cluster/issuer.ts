import { RefusedError } from '../../errors.ts';
import { certManagerAnnotations } from '../../manifests/cert-manager-annotations.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { injectingAnnotation } from '../rotation/injection.ts';
import { type Backend, describeBackend, isInsecure } from '../secure/find.ts';
import type { Waiting } from '../wait.ts';
import { fromCertificate } from './cert-manager.ts';
import { type FoundIssuer, named, type Running } from './found.ts';
import { fromSecret } from './serving-secret.ts';

/**
 * Finds who issues the certificate of a running registration, by what is there.
 * @throws RefusedError with what could not be told; ClusterError where the user may not look
 */
export async function findIssuer(asking: Pick<Waiting, 'cluster' | 'signal'>, found: Running): Promise<FoundIssuer> {
  const { backend, apiServices, service, running } = found;
  if (oneKind(found, isInsecure, 'verifies the certificate')) return { certificates: { issuer: { type: 'insecure' } } };
  if (!running) {
    throw new RefusedError(`cannot tell which CA signs the certificate of ${describeBackend(backend)}: the server is outside the cluster`, {
      fix: 'Create the project with the CA (apisvc init DIR --ca-cert FILE --ca-key FILE), and set spec.server.external in apisvc.yaml.',
    });
  }
  oneKind(found, (object) => injectingAnnotation(object) !== undefined, 'has no annotation for CA injection');
  const [first] = apiServices;
  const annotation = first && injectingAnnotation(first);
  const value = annotation === undefined ? '' : (first?.metadata.annotations?.[annotation] ?? '');
  if (annotation === undefined) return fromSecret(asking, found, running);
  if (annotation === certManagerAnnotations.fromCertificate) {
    const same = apiServices.filter(({ metadata }) => metadata.annotations?.[annotation] === value);
    return fromCertificate(asking, backend, { value, apiServices: same.map(({ metadata }) => metadata.name) });
  }
  if (/openshift/.test(annotation)) return fromOpenShift(backend, service);
  throw new RefusedError(
    `cannot tell which cert-manager Certificate issues the serving certificate of ${describeBackend(backend)}: apiservice/${first?.metadata.name} has the annotation ${annotation} instead of ${certManagerAnnotations.fromCertificate}`,
  );
}

/**
 * Whether all APIServices are of one kind: a project has one issuer for them.
 * @param otherwise what the others do
 * @throws RefusedError where only some of them are
 */
function oneKind({ backend, apiServices }: Running, is: (object: KubeObject) => boolean, otherwise: string): boolean {
  const yes = apiServices.filter(is);
  const no = apiServices.find((object) => !is(object));
  const [one] = yes;
  if (!one) return false;
  if (!no) return true;
  const skips = viewApiService(one).insecureSkipTLSVerify;
  throw new RefusedError(
    `cannot tell which issuer to use: the APIServices of ${describeBackend(backend)} differ: apiservice/${one.metadata.name} ${skips ? 'has insecureSkipTLSVerify' : `has the annotation ${injectingAnnotation(one)}`}, but apiservice/${no.metadata.name} ${otherwise}`,
    { fix: 'Configure TLS in the same way for all APIServices of the Service, and run this command again.' },
  );
}

/** github.com/openshift/service-ca-operator, pkg/controller/api/api.go. */
const servingSecret = /^service\.(beta|alpha)\.openshift\.io\/serving-cert-secret-name$/;

function fromOpenShift(backend: Backend, { metadata }: KubeObject): FoundIssuer {
  const [, secret] = Object.entries(metadata.annotations ?? {}).find(([key]) => servingSecret.test(key)) ?? [];
  if (secret === undefined)
    throw new RefusedError(
      `cannot tell which Secret has the serving certificate of ${describeBackend(backend)}: OpenShift writes the caBundle, but the Service does not have the annotation service.beta.openshift.io/serving-cert-secret-name`,
    );
  return { certificates: { issuer: { type: 'openshift-service-ca' }, secretName: named(backend, secret) } };
}
