import { Unreachable } from '../../cluster/faults.ts';
import { listObjects } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import type { ApiServiceView } from '../../snapshot/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import type { Waiting } from '../wait.ts';

/**
 * One worker of kube-apiserver picks up APIServices one after the other, and reads the OpenAPI
 * document of each server in between (kube-aggregator pkg/apiserver/apiservice_controller.go and
 * apiserver.go, AddAPIService). A read takes at most 60 seconds. Another worker reads the same
 * documents every minute under the same lock (pkg/controllers/openapi/aggregator/aggregator.go), so
 * that each APIService holds up those behind it for at most twice as long.
 */
export const longestReadMs = 120_000;

/**
 * How long to wait before the queue of the only kube-apiserver is asked, in milliseconds: until its
 * worker has a change in the queue. The queue then tells what a slow server holds up.
 */
export const promptMs = 10_000;

/** How long to wait where the queues of all kube-apiservers are not known, in milliseconds. */
export const blindMs = promptMs + longestReadMs;

/** A server that answers later than this is slow, in milliseconds. */
const lateMs = 1_000;
const limitMs = 5_000;

export interface SettleTime {
  readonly ms: number;
  /** Why it is longer than `promptMs`. */
  readonly why: string;
}

/** What may make kube-apiserver pick up a change late, in words. */
export interface Delays {
  /** The servers that take long for their OpenAPI document. */
  readonly slow: readonly string[];
  /**
   * The servers that are not available. kube-apiserver itself answers for them (handler_proxy.go,
   * ServeHTTP), until one is available again.
   */
  readonly unavailable: readonly string[];
}

/**
 * How long to wait for kube-apiservers whose queues are not all known. One server that is slow for
 * kube-apiserver alone is allowed for.
 * @param blind why they are not known
 */
export function settleTime({ slow, unavailable }: Delays, blind: string): SettleTime {
  const reasons = [...unavailable, ...slow];
  const late = `kube-apiserver applies changes to APIServices later while an extension API server is slow or unavailable: ${reasons.join('; ')}`;
  return { ms: promptMs + longestReadMs * Math.max(1, slow.length), why: [blind, ...(reasons.length > 0 ? [late] : [])].join('; ') };
}

/** Looks at the APIServices that may hold kube-apiserver up. */
export async function findDelays({ cluster, signal }: Pick<Waiting, 'cluster' | 'signal'>): Promise<Delays> {
  const all = (await listObjects(cluster, { resource: resources.APIService }, signal)).map(viewApiService);
  const served = all.filter(({ service }) => service !== undefined);
  const isAvailable = ({ available }: ApiServiceView): boolean => available?.status === 'True';
  const unavailable = served.flatMap((api) => (isAvailable(api) ? [] : `APIService ${api.name} is not available`));
  const slow = await Promise.all(
    served.filter(isAvailable).map(async (api) => {
      const elapsedMs = await answerTime({ cluster, signal }, api);
      return elapsedMs < lateMs ? [] : `APIService ${api.name} took ${(elapsedMs / 1000).toFixed(1)}s to return its OpenAPI document`;
    }),
  );
  return { slow: slow.flat(), unavailable };
}

/** In milliseconds. Any answer counts. */
async function answerTime(
  { cluster, signal }: Pick<Waiting, 'cluster' | 'signal'>,
  { group, version }: Pick<ApiServiceView, 'group' | 'version'>,
): Promise<number> {
  const start = performance.now();
  try {
    await cluster.request({ path: `/openapi/v3/apis/${group}/${version}`, signal, timeoutMs: limitMs, keepBytes: 0 });
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
  }
  return performance.now() - start;
}
