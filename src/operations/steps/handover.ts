import type { Cluster } from '../../cluster/cluster.ts';
import { getObject, refOf } from '../../cluster/objects.ts';
import { responsibilitiesOf } from '../../config/responsibilities.ts';
import type { Registration } from '../../config/schema.ts';
import { RefusedError } from '../../errors.ts';
import { apiServiceAnnotations } from '../../manifests/issuer-fields.ts';
import { injectionAnnotation } from '../../manifests/labels.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewApiService } from '../../snapshot/views.ts';

/**
 * Finds an API that works with a caBundle, which another tool is to write from now on. It replaces
 * the caBundle at once, while the pods still serve by the old CA, so that requests would fail.
 * @param apiServices as they are going to be applied
 */
export async function handoverFault(
  cluster: Cluster,
  registration: Registration,
  apiServices: readonly KubeObject[],
  signal: AbortSignal,
): Promise<RefusedError | undefined> {
  const { caBundle: writer } = responsibilitiesOf(registration);
  const annotations = Object.keys(apiServiceAnnotations(registration));
  if (annotations.length === 0) return undefined;
  for (const wanted of apiServices) {
    const found = await getObject(cluster, refOf(wanted), signal);
    if (!found) continue;
    const { name, caBundle, available } = viewApiService(found);
    if (found.metadata.annotations?.[injectionAnnotation] !== undefined) {
      return new RefusedError(`a rotation of the CA is not complete: ${writer} injects both CAs into apiservice/${name}`, {
        fix: 'Finish it: apisvc rotate',
      });
    }
    const isHandedOver = annotations.every((each) => found.metadata.annotations?.[each] !== undefined);
    if (isHandedOver || !caBundle || available?.status !== 'True') continue;
    const fix = [
      'To keep the API available, set spec.certificates.issuer.type to existing-secret, and spec.certificates.secretName to the Secret with the new certificate. Then run: apisvc register',
      'Or delete the APIService, and run the same command again. The API is unavailable in between:',
      `  kubectl delete apiservice ${name}`,
    ];
    return new RefusedError(
      `APIService ${name} works with its current caBundle, which ${writer} would replace before every endpoint serves a new certificate`,
      { fix: fix.join('\n') },
    );
  }
  return undefined;
}
