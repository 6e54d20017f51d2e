import type { Cluster } from '../../cluster/cluster.ts';
import { getObject, refOf } from '../../cluster/objects.ts';
import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewApiService } from '../../snapshot/views.ts';

/**
 * The label of APIServices that kube-apiserver's own controllers overwrite and delete
 * (kube-aggregator pkg/controllers/autoregister).
 */
export const automanaged = 'kube-aggregator.kubernetes.io/automanaged';

/**
 * Finds an APIService that belongs to someone else: one that is Local or automanaged, or that
 * points at another Service.
 * @param apiServices as they are going to be applied
 */
export async function takeoverFault(
  cluster: Cluster,
  apiServices: readonly KubeObject[],
  signal: AbortSignal,
): Promise<RefusedError | undefined> {
  for (const wanted of apiServices) {
    const found = await getObject(cluster, refOf(wanted), signal);
    const fault = found && faultOf(found, wanted);
    if (fault) return fault;
  }
  return undefined;
}

function faultOf(found: KubeObject, wanted: KubeObject): RefusedError | undefined {
  const { name, service, labels } = viewApiService(found);
  const { service: target } = viewApiService(wanted);
  if (!service) {
    return new RefusedError(`APIService ${name} is Local: the API is built into kube-apiserver or defined by a CustomResourceDefinition`, {
      fix: 'Choose a different group or version, or remove the CustomResourceDefinition.',
    });
  }
  if (labels[automanaged] !== undefined) {
    return new RefusedError(
      `APIService ${name} has the label ${automanaged}: kube-apiserver manages this APIService and would overwrite changes`,
      {
        fix: `If the label was copied by mistake, remove it: kubectl label apiservice ${name} ${automanaged}-`,
      },
    );
  }
  if (service.namespace === target?.namespace && service.name === target?.name) return undefined;
  return new RefusedError(
    `APIService ${name} points at Service ${service.namespace}/${service.name}; registering would redirect the API to another server`,
    { fix: `If this is intended, delete the APIService first: kubectl delete apiservice ${name}` },
  );
}
