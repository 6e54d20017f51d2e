import type { Cluster } from '../cluster/cluster.ts';
import { observe, slicesOf } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { DeadlineError } from '../errors.ts';
import { viewApiService, viewEndpoints } from '../verify/views.ts';
import type { OnProgress } from './events.ts';

/** How to wait: one deadline for everything, and somebody to tell. */
export interface Waiting {
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Runs a wait; when the deadline passes, the error says what was waited for and the last that was seen of it. */
export async function waitFor(what: string, { onProgress }: Waiting, watch: (saw: (last: string) => void) => Promise<void>): Promise<void> {
  let last = 'nothing yet';
  try {
    await watch((now) => {
      if (now === last) return;
      last = now;
      onProgress({ kind: 'waiting', what, last });
    });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new DeadlineError(`${error.message}, waiting for ${what}; last seen: ${last}`, {
      fix: 'Run the same command again to go on, with a longer --timeout if it only needs time; apisvc verify says what is wrong.',
      cause: error,
    });
  }
}

/** Waits until kube-apiserver calls an APIService Available. */
export const waitForAvailable = (waiting: Waiting, name: string): Promise<void> =>
  waitFor(`APIService ${name} to become Available`, waiting, async (saw) => {
    const one = { resource: resources.APIService, fieldSelector: `metadata.name=${name}` };
    for await (const [found] of observe(waiting.cluster, one, waiting.signal)) {
      const available = found && viewApiService(found).available;
      if (available?.status === 'True') return;
      saw(available ? `Available=${available.status} (${available.reason}): ${available.message}` : 'no Available condition yet');
    }
  });

/** Waits until a Service has an endpoint that is ready. */
export const waitForEndpoints = (waiting: Waiting, namespace: string, service: string): Promise<void> =>
  waitFor(`Service ${namespace}/${service} to have a ready endpoint`, waiting, async (saw) => {
    for await (const found of observe(waiting.cluster, slicesOf({ namespace, name: service }), waiting.signal)) {
      const endpoints = found.flatMap(viewEndpoints);
      if (endpoints.some(({ ready }) => ready)) return;
      saw(`${endpoints.length} endpoints, none ready`);
    }
  });
