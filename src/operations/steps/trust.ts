import type { Cluster } from '../../cluster/cluster.ts';
import { getObject, refOf } from '../../cluster/objects.ts';
import { subresources } from '../../cluster/resources.ts';
import { rbacRule } from '../../cluster/status.ts';
import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { trustedBy } from '../../snapshot/ca-bundle.ts';
import type { ApiServiceView } from '../../snapshot/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import type { Step } from '../runner.ts';
import type { Waiting } from '../wait.ts';

interface Unverified {
  /** Returns the endpoints whose certificate could not be checked from here. */
  readonly unchecked: () => readonly string[];
  readonly namespace: string;
  /** Name of the Deployment of the pods, when it is known. */
  readonly deployment: string | undefined;
  /** As they are going to be applied. */
  readonly apiServices: () => readonly KubeObject[];
}

/**
 * Never replaces a working caBundle before the new serving certificates were verified. An API that
 * does not work, or is not registered yet, has nothing to lose: the user gets a note. The step asks
 * the cluster only, so every run decides the same.
 */
export function trustStep({ cluster, signal, onProgress }: Waiting, { unchecked, namespace, deployment, apiServices }: Unverified): Step {
  const reportDone = (): void => {
    for (const endpoint of unchecked()) onProgress({ kind: 'note', what: `certificate not checked: ${endpoint}` });
  };
  return {
    id: 'keep-trust',
    needs: () => [],
    async observe() {
      if (unchecked().length === 0) return { state: 'done' };
      for (const wanted of apiServices()) {
        const found = await getObject(cluster, refOf(wanted), signal);
        const present = found && viewApiService(found);
        if (present && dropsTrust(present, viewApiService(wanted)) && (await isServed(cluster, present, signal))) {
          return { state: 'fault', error: unverifiedChange(present.name, unchecked(), namespace, deployment) };
        }
      }
      return { state: 'done' };
    },
    run: async () => {},
    reportDone,
  };
}

/**
 * Whether a server that is trusted now would not be trusted any more. Without a caBundle
 * kube-apiserver trusts the CAs of its system, or everyone with insecureSkipTLSVerify.
 */
function dropsTrust(present: ApiServiceView, wanted: ApiServiceView): boolean {
  const stays = new Set(trustedBy(wanted).map(({ fingerprint }) => fingerprint));
  const trusted = trustedBy(present);
  return trusted.length === 0 || trusted.some(({ fingerprint }) => !stays.has(fingerprint));
}

/**
 * Whether the API answers now. Up to Kubernetes 1.35 the condition ignores certificates, so it
 * counts only when the user may not send the request.
 */
export async function isServed(cluster: Cluster, { group, version, available }: ApiServiceView, signal: AbortSignal): Promise<boolean> {
  const { status } = await cluster.request({ path: `/apis/${group}/${version}`, signal });
  return status === 200 || (status === 403 && available?.status === 'True');
}

function unverifiedChange(
  apiService: string,
  endpoints: readonly string[],
  namespace: string,
  deployment: string | undefined,
): RefusedError {
  const ref = { resource: subresources.podPortForward, namespace, name: '' };
  const restart = deployment ? [`  kubectl -n ${namespace} rollout restart deployment/${deployment}`] : [];
  const fix = [
    'Allow port-forward to the pods, and run the same command again:',
    `  ${rbacRule(ref, 'get', 'create')}`,
    `Or restart the pods, wait until the API no longer works, and run the same command again${deployment ? '. To restart the pods:' : '.'}`,
    ...restart,
    'Or delete the APIService, and run the same command again. The API is unavailable in between:',
    `  kubectl delete apiservice ${apiService}`,
  ];
  return new RefusedError(
    `cannot verify the serving certificates against the new caBundle: ${endpoints.join('; ')}; APIService ${apiService} still works with its current caBundle and is unchanged`,
    { fix: fix.join('\n') },
  );
}
