import { Unreachable } from '../../cluster/faults.ts';
import { listObjects } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import type { ApiServiceView } from '../../snapshot/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import type { Waiting } from '../wait.ts';

/**
 * One worker of kube-apiserver picks up APIServices one after the other, and reads the OpenAPI
 * document of each server in between (kube-aggregator pkg/apiserver/apiservice_controller.go and
 * apiserver.go, AddAPIService). A server that does not answer holds it up for at most 60 seconds.
 */
const promptMs = 10_000;
const heldUpMs = 70_000;

/** A server that answers later than this is slow, in milliseconds. */
const slowMs = 1_000;
const limitMs = 5_000;

export interface SettleTime {
  readonly ms: number;
  /** Why it is longer than usual. */
  readonly why?: string;
}

/** How long kube-apiserver may need until it uses a changed caBundle. */
export async function settleTime({ cluster, signal }: Pick<Waiting, 'cluster' | 'signal'>): Promise<SettleTime> {
  const all = (await listObjects(cluster, { resource: resources.APIService }, signal)).map(viewApiService);
  const served = all.filter(({ service }) => service !== undefined);
  const delays = await Promise.all(
    served.map(async (api) => {
      if (api.available?.status !== 'True') return `APIService ${api.name} is not available`;
      const elapsedMs = await answerTime({ cluster, signal }, api);
      return elapsedMs < slowMs ? [] : `APIService ${api.name} took ${(elapsedMs / 1000).toFixed(1)}s for its OpenAPI document`;
    }),
  );
  const reasons = delays.flat();
  if (reasons.length === 0) return { ms: promptMs };
  return { ms: heldUpMs, why: `kube-apiserver picks up changes later while a server is slow or fails: ${reasons.join('; ')}` };
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
