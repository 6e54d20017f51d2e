import type { Cluster } from '../cluster/cluster.ts';
import { getObject, refOf } from '../cluster/objects.ts';
import { subresources } from '../cluster/resources.ts';
import { rbacRules } from '../cluster/status.ts';
import { RefusedError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import { trustedBy } from '../snapshot/ca-bundle.ts';
import type { ApiServiceView } from '../snapshot/types.ts';
import { viewApiService } from '../snapshot/views.ts';
import type { Waiting } from './wait.ts';

/** Endpoints of which nobody can see from here what they serve. */
export interface Unseen {
  readonly endpoints: readonly string[];
  readonly namespace: string;
  /** Name of the Deployment of the pods, where it is known. */
  readonly deployment: string | undefined;
}

/**
 * A caBundle that is ahead of the pods fails every request, so none is written on trust where that would break an API that works: where the APIService trusts something
 * now that it would trust no more. An API that does not work, or is not there yet, has nothing to lose; the person is told. Asks the cluster alone, so
 * that every run decides alike.
 * @param apiServices as they will be applied
 * @throws RefusedError with the ways to go on
 */
export async function refuseUnseenSwap(
  { cluster, signal, onProgress }: Waiting,
  unseen: Unseen,
  apiServices: readonly KubeObject[],
): Promise<void> {
  if (unseen.endpoints.length === 0) return;
  for (const wanted of apiServices) {
    const found = await getObject(cluster, refOf(wanted), signal);
    const present = found && viewApiService(found);
    if (present && dropsTrust(present, viewApiService(wanted)) && (await serves(cluster, present, signal)))
      throw swap(present.name, unseen);
  }
  for (const each of unseen.endpoints) onProgress({ kind: 'note', what: `going on without a look at the certificate of ${each}` });
}

/** Whether a server that is trusted now may be trusted no more. Without a caBundle kube-apiserver trusts the CAs of its system, or, when told so, everybody. */
function dropsTrust(present: ApiServiceView, wanted: ApiServiceView): boolean {
  const stays = new Set(trustedBy(wanted).map(({ fingerprint }) => fingerprint));
  const trusted = trustedBy(present);
  return trusted.length === 0 || trusted.some(({ fingerprint }) => !stays.has(fingerprint));
}

/** Whether the API answers now. Up to 1.35 the condition knows nothing of certificates, so it counts only for those who may not ask. */
async function serves(cluster: Cluster, { group, version, available }: ApiServiceView, signal: AbortSignal): Promise<boolean> {
  const { status } = await cluster.request({ path: `/apis/${group}/${version}`, signal });
  return status === 200 || (status === 403 && available?.status === 'True');
}

function swap(apiService: string, { endpoints, namespace, deployment }: Unseen): RefusedError {
  const ref = { resource: subresources.podPortForward, namespace, name: '' };
  const [rule] = rbacRules(['get', 'create'].map((verb) => ({ verb, ref })));
  const restart = deployment ? `kubectl -n ${namespace} rollout restart deployment/${deployment}` : 'restart them';
  return new RefusedError(
    `APIService ${apiService} works with the caBundle that it has, and from here it can't be seen whether the pods serve a certificate that the new one accepts (${endpoints.join('; ')}); it was left as it is`,
    {
      fix: `Let apisvc look into the pods, by a ${rule}, then run the same command again. Without this right: bring the new certificate to all pods (${restart}). The same command goes on once the API does not work any more with the caBundle that it has, or after: kubectl delete apiservice ${apiService} (the API is gone until it is registered again).`,
    },
  );
}
