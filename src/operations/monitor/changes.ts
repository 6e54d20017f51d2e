import { pause } from '../../cluster/backoff.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { Expired, Forbidden } from '../../cluster/faults.ts';
import { changes, latestVersion } from '../../cluster/objects.ts';
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
  /**
   * Called when the permission to watch begins to be missing. Credentials that kube-apiserver
   * rejects (401) are no missing permission: a token may just be replaced, and a run says it too.
   */
  readonly onRefused: (error: Forbidden) => void;
  readonly signal: AbortSignal;
}

/**
 * How long a watch lasts, in seconds: as long as one of client-go (tools/cache/reflector.go,
 * minWatchTimeout), which spreads them too. It uses the credentials that it began with.
 */
const watchSeconds = (): number => Math.round(300 * (1 + Math.random()));

/** kube-apiserver ends a watch before this time. A connection may be dead without a sign. */
const longestWatchMs = 660_000;

/** A watch that lasted so long had begun: its failure does not count as one more. */
const lastedMs = 60_000;

/**
 * A watch that kube-apiserver ends sooner is a failure, as for client-go (VeryShortWatchError), so
 * that a proxy that ends each watch does not get one after the other.
 */
const shortestWatchMs = 1_000;

/**
 * Watches the objects behind APIServices, as far as the user may. The watches only save time: what
 * they miss is found after the interval.
 * @throws the reason of the signal; errors that are not failures of the cluster
 */
export const watchChanges = (watching: WatchingChanges): Promise<never> =>
  Promise.race(watchedResources.map((resource) => watchResource(watching, resource)));

/**
 * Like the reflector of client-go (tools/cache/reflector.go), a watch goes on from the last
 * resourceVersion, and misses nothing: at once where kube-apiserver has ended it, and after a pause
 * where it failed. Only a version that has expired is replaced by that of a list.
 */
async function watchResource(watching: WatchingChanges, resource: Resource): Promise<never> {
  let refused = false;
  let isFirst = true;
  let since: string | undefined;
  for (let failures = 0; ; isFirst = false) {
    const startedAt = performance.now();
    const end = await watchOnce(watching, resource, { since, isFirst });
    const lastedFor = performance.now() - startedAt;
    const { error } = end;
    const isExpired = error instanceof Expired;
    const isForbidden = error instanceof Forbidden;
    if (isForbidden && !refused) watching.onRefused(error);
    refused = isForbidden;
    const goesOn = isExpired ? since !== undefined : error === undefined && lastedFor >= shortestWatchMs;
    since = isExpired ? undefined : end.since;
    failures = goesOn || lastedFor > lastedMs ? 0 : failures + 1;
    if (!goesOn) await pause(pauseBeforeWatch(failures, Math.random()), watching.signal);
  }
}

/** How a watch ended. */
interface WatchEnd {
  /** The last resourceVersion; undefined where the list failed. */
  readonly since: string | undefined;
  /** Why it failed. */
  readonly error?: ApisvcError;
}

const watchOnce = (
  { connect, concerns, onChange, signal }: WatchingChanges,
  resource: Resource,
  { since, isFirst }: { readonly since: string | undefined; readonly isFirst: boolean },
) =>
  withOwnSignal(signal, async (over): Promise<WatchEnd> => {
    const timer = setTimeout(() => over.abort(), longestWatchMs);
    const of = { resource };
    let resourceVersion = since;
    let cluster: Cluster | undefined;
    try {
      cluster = await connect(over.signal);
      if (resourceVersion === undefined) {
        resourceVersion = await latestVersion(cluster, of, over.signal);
        // Something may have changed between the last watch and this version.
        if (!isFirst) onChange();
      }
      for await (const change of changes(cluster, of, { resourceVersion, seconds: watchSeconds() }, over.signal)) {
        resourceVersion = change.resourceVersion;
        if (change.object && concerns(change.object)) onChange();
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!over.signal.aborted) {
        if (!(error instanceof ApisvcError)) throw error;
        return { error, since: resourceVersion };
      }
    } finally {
      clearTimeout(timer);
      cluster?.close();
    }
    return { since: resourceVersion };
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
