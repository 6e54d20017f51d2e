import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { fieldManagers } from './field-owner.ts';

/** Annotations that make a controller write the caBundle: cert-manager and OpenShift. */
const injecting = /^cert-manager\.io\/inject-|^service\.(beta|alpha)\.openshift\.io\/inject-cabundle$/;

/** Field managers of controllers that write caBundles. */
const injectors = /cainjector|service-ca/;

/**
 * Why the caBundle of an APIService may not be changed by a rotation of its CA; undefined if it
 * may.
 */
export function bundleFault(apiService: KubeObject): RefusedError | undefined {
  const { name, annotations, insecureSkipTLSVerify } = viewApiService(apiService);
  const annotation = Object.keys(annotations).find((key) => injecting.test(key));
  if (annotation !== undefined) {
    return new RefusedError(`apiservice/${name} has the annotation ${annotation}: a controller writes its caBundle`, {
      fix: `Rotate the CA with that controller, or let apisvc own the caBundle: kubectl annotate apiservice ${name} ${annotation}-`,
    });
  }
  const manager = fieldManagers(apiService, ['f:spec', 'f:caBundle']).find((each) => injectors.test(each));
  if (manager !== undefined) {
    return new RefusedError(`the caBundle of apiservice/${name} belongs to "${manager}"`, { fix: 'Rotate the CA with that controller.' });
  }
  if (!insecureSkipTLSVerify) return undefined;
  return new RefusedError(`apiservice/${name} has insecureSkipTLSVerify, so that it trusts every certificate`, {
    fix: 'Turn on verification first: apisvc register',
  });
}
