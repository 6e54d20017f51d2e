import { DeadlineError } from '../../errors.ts';
import { listedOf } from '../../snapshot/collect/listed.ts';
import type { ListedView, Observed } from '../../snapshot/types.ts';
import type { Step } from '../runner.ts';
import { poll, type Waiting } from '../wait.ts';

/**
 * In milliseconds. kube-apiserver refreshes the discovery of every extension API server once a
 * minute (kube-aggregator pkg/apiserver/handler_discovery.go, Run).
 */
const refreshMs = 65_000;

/**
 * Waits until discovery lists the APIs, so that kubectl knows their resources.
 * @param isHealthy false skips the step: discovery never lists an API that does not answer, or has
 * no resources
 */
export function discoveryStep(waiting: Waiting, names: readonly string[], isHealthy: () => boolean): Step {
  return {
    id: 'discovery',
    title: 'Waiting for discovery',
    needs: () => [],
    async observe() {
      if (!isHealthy()) return { state: 'done' };
      return { state: (await unlisted(waiting, names)) === 0 ? 'done' : 'pending' };
    },
    run: () => waitUntilListed(waiting, names),
  };
}

/**
 * Waits until discovery lists these APIServices. kube-apiserver asks a new server for its resources
 * at once, possibly before it proxies requests to it, and again only a minute later. A longer delay
 * or the deadline is only a note: the APIs are registered and work.
 * @throws the reason of the signal, unless it is the deadline
 */
export async function waitUntilListed(waiting: Waiting, names: readonly string[]): Promise<void> {
  const { signal, onProgress } = waiting;
  const until = AbortSignal.timeout(refreshMs);
  const what = `discovery to list ${names.join(', ')}`;
  try {
    await poll({ signal, until }, async () => {
      if ((await unlisted(waiting, names)) === 0) return true;
      if (until.aborted) throw new DeadlineError('not listed in time');
      onProgress({ kind: 'waiting', what, last: 'not listed yet' });
      return undefined;
    });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    onProgress({
      kind: 'note',
      what: `discovery does not list the API yet, so for up to two minutes kubectl may not find the resources; kubectl get --raw works`,
    });
  }
}

async function unlisted({ cluster, signal }: Waiting, names: readonly string[]): Promise<number> {
  const listed = await Promise.all(names.map(listedOf({ cluster, signal })));
  return listed.filter(isMissing).length;
}

const isMissing = (listed: Observed<ListedView>): boolean =>
  listed.state === 'absent' || (listed.state === 'seen' && listed.value.resources.length === 0);
