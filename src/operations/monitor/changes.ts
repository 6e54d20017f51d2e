import { pause } from '../../cluster/backoff.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { wasRefused } from '../../cluster/faults.ts';
import { changes } from '../../cluster/objects.ts';
import { type Resource, resources } from '../../cluster/resources.ts';
import { ApisvcError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { seen } from '../../snapshot/observed.ts';
import type { Snapshot } from '../../snapshot/types.ts';
import { withOwnSignal } from './own-signal.ts';
import { pauseBeforeWatch } from './pace.ts';

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
  /** Called when kube-apiserver begins to refuse a watch, usually for a missing permission. */
  readonly onRefused: (error: ApisvcError) => void;
  readonly signal: AbortSignal;
}

/** How long a watch uses the credentials that it began with. */
const watchMs = 600_000;

/** A watch that lasted so long had begun: its end does not count as one more failure. */
const lastedMs = 60_000;

/**
 * Watches the objects behind APIServices, as far as the user may. The watches only save time: what
 * they miss is found after the interval.
 * @throws the reason of the signal; errors that are not failures of the cluster
 */
export const watchChanges = (watching: WatchingChanges): Promise<never> =>
  Promise.race(watchedResources.map((resource) => watchResource(watching, resource)));

async function watchResource(watching: WatchingChanges, resource: Resource): Promise<never> {
  let refused = false;
  for (let failures = 0; ; ) {
    const startedAt = performance.now();
    const error = await watchOnce(watching, resource);
    const nowRefused = error !== undefined && wasRefused(error);
    if (nowRefused && !refused) watching.onRefused(error);
    refused = nowRefused;
    failures = error === undefined || performance.now() - startedAt > lastedMs ? 0 : failures + 1;
    await pause(pauseBeforeWatch(failures, Math.random()), watching.signal);
  }
}

/** @returns why the watch ended, where it is not the usual end */
const watchOnce = ({ connect, concerns, onChange, signal }: WatchingChanges, resource: Resource): Promise<ApisvcError | undefined> =>
  withOwnSignal(signal, async (over) => {
    const timer = setTimeout(() => over.abort(), watchMs);
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
      cluster?.close();
    }
    return undefined;
  });

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
