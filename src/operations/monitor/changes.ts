import { pause } from '../../cluster/backoff.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { wasRefused } from '../../cluster/faults.ts';
import { changes } from '../../cluster/objects.ts';
import { type Resource, resources } from '../../cluster/resources.ts';
import { ApisvcError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { seen } from '../../snapshot/observed.ts';
import type { Snapshot } from '../../snapshot/types.ts';

/** The objects whose changes may change a diagnosis. */
export const watchedResources: readonly Resource[] = [resources.APIService, resources.Service, resources.EndpointSlice];

export interface WatchingChanges {
  /**
   * Connects with the current credentials: the token of a ServiceAccount is replaced every hour.
   */
  readonly connect: (signal: AbortSignal) => Promise<Cluster>;
  /** Whether an object affects an APIService. */
  readonly concerns: (object: KubeObject) => boolean;
  readonly onChange: () => void;
  /** Called when the user may not watch a resource. */
  readonly onRefused: (error: ApisvcError) => void;
  readonly signal: AbortSignal;
}

/** How long a watch uses the credentials that it began with. */
const watchMs = 600_000;
const retryMs = 10_000;

/**
 * Watches the objects behind APIServices, as far as the user may. The watches only save time: what
 * they miss is found after the interval.
 * @throws the reason of the signal; errors that are not failures of the cluster
 */
export const watchChanges = (watching: WatchingChanges): Promise<never> =>
  Promise.race(watchedResources.map((resource) => watchResource(watching, resource)));

async function watchResource(watching: WatchingChanges, resource: Resource): Promise<never> {
  for (let refused = false; ; ) {
    const error = await watchOnce(watching, resource);
    const nowRefused = error !== undefined && wasRefused(error);
    if (nowRefused && !refused) watching.onRefused(error);
    refused = nowRefused;
    await pause((refused ? watchMs : retryMs) * (0.5 + Math.random() / 2), watching.signal);
  }
}

/** @returns why the watch ended, where it is not the usual end */
async function watchOnce({ connect, concerns, onChange, signal }: WatchingChanges, resource: Resource): Promise<ApisvcError | undefined> {
  // Of its own, so that nothing of a watch stays registered at the signal of the process.
  const over = new AbortController();
  const end = (): void => over.abort(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  const timer = setTimeout(end, watchMs);
  let cluster: Cluster | undefined;
  try {
    cluster = await connect(over.signal);
    for await (const object of changes(cluster, { resource }, over.signal)) if (concerns(object)) onChange();
  } catch (error) {
    signal.throwIfAborted();
    if (over.signal.aborted) return undefined;
    if (!(error instanceof ApisvcError)) throw error;
    return error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    cluster?.close();
  }
  return undefined;
}

/** Which objects affect the APIServices of a snapshot. Without one, all. */
export function concernsOf(snapshot: Snapshot | undefined): (object: KubeObject) => boolean {
  if (!snapshot) return () => true;
  const services = new Set(
    snapshot.apis.flatMap(({ apiService }) => {
      const service = seen(apiService)?.service;
      return service ? [`${service.namespace}/${service.name}`] : [];
    }),
  );
  return ({ metadata }) => {
    // Without a namespace, it is an APIService.
    if (metadata.namespace === undefined) return true;
    const name = metadata.labels?.['kubernetes.io/service-name'] ?? metadata.name;
    return services.has(`${metadata.namespace}/${name}`);
  };
}
