import { fieldManagers } from '../../cluster/managed-fields.ts';
import { RefusedError } from '../../errors.ts';
import { certManagerAnnotations } from '../../manifests/cert-manager-annotations.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewApiService } from '../../snapshot/views.ts';

/** Annotations that make a controller write the caBundle: cert-manager and OpenShift. */
const injecting = /^cert-manager\.io\/inject-|^service\.(beta|alpha)\.openshift\.io\/inject-cabundle$/;

/** Field managers of controllers that write caBundles. */
const injectors = /cainjector|service-ca/;

/** The controller that writes the caBundle of an APIService, for a sentence; undefined for none. */
export function injectorOf(apiService: KubeObject): string | undefined {
  const annotation = injectingAnnotation(apiService);
  if (annotation !== undefined) return `has the annotation ${annotation}, which makes a controller write its caBundle`;
  const manager = injectingManager(apiService);
  return manager === undefined ? undefined : `has a caBundle that belongs to "${manager}"`;
}

/** The annotation by which a controller writes the caBundles of an object; undefined for none. */
export const injectingAnnotation = ({ metadata }: KubeObject): string | undefined =>
  Object.keys(metadata.annotations ?? {}).find((key) => injecting.test(key));

/**
 * Whether cert-manager copies `ca.crt` of a Secret into the caBundles of an object
 * (cert-manager pkg/controller/cainjector/sources.go). The Secret must allow it, or belong to the
 * Certificate that the object names.
 */
export function followsSecret(object: KubeObject, { metadata: { namespace, name, annotations = {} } }: KubeObject): boolean {
  const { fromCertificate, fromSecret, allowInjection, certificateName } = certManagerAnnotations;
  const { [fromCertificate]: certificate, [fromSecret]: secret } = object.metadata.annotations ?? {};
  // A Secret comes before a Certificate (setup.go, RegisterAllInjectors).
  if (secret !== undefined) return secret === `${namespace}/${name}` && annotations[allowInjection] === 'true';
  return certificate === `${namespace}/${annotations[certificateName]}`;
}

const injectingManager = (apiService: KubeObject): string | undefined =>
  fieldManagers(apiService, ['spec', 'caBundle']).find((each) => injectors.test(each));

/**
 * Why the caBundle of an APIService may not be changed by a rotation of its CA; undefined if it
 * may.
 */
export function bundleFault(apiService: KubeObject): RefusedError | undefined {
  const { name, insecureSkipTLSVerify } = viewApiService(apiService);
  const annotation = injectingAnnotation(apiService);
  if (annotation !== undefined) {
    return new RefusedError(`apiservice/${name} has the annotation ${annotation}: a controller writes its caBundle`, {
      fix: `Rotate the CA with that controller. Or remove the annotation to let apisvc own the caBundle: kubectl annotate apiservice ${name} ${annotation}-`,
    });
  }
  const manager = injectingManager(apiService);
  if (manager !== undefined) {
    return new RefusedError(`the caBundle of apiservice/${name} belongs to "${manager}"`, { fix: 'Rotate the CA with that controller.' });
  }
  if (!insecureSkipTLSVerify) return undefined;
  return new RefusedError(`apiservice/${name} has insecureSkipTLSVerify, so kube-apiserver accepts every certificate`, {
    fix: `Turn on verification first: apisvc secure ${name}`,
  });
}
