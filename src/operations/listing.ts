import { DeadlineError } from '../errors.ts';
import { listedOf } from '../snapshot/collect/listed.ts';
import type { ListedView, Observed } from '../snapshot/types.ts';
import { poll, type Waiting } from './wait.ts';

/** kube-apiserver asks every extension API server for its resources once a minute (kube-aggregator pkg/apiserver/handler_discovery.go, Run). */
const renewalMs = 65_000;

/**
 * Waits until kubectl is told of these APIServices. They answer before that: kube-apiserver asks a new server for its resources at once, when it may not be ready to pass requests on, and
 * again only a minute later. When it takes longer, or the deadline passes, that is a note: the APIs are registered and work.
 * @throws the signal's reason unless it is the deadline
 */
export async function waitUntilListed(waiting: Waiting, names: readonly string[]): Promise<void> {
  const { cluster, signal, onProgress } = waiting;
  const until = AbortSignal.timeout(renewalMs);
  const what = `kubectl to be told of ${names.join(', ')}`;
  try {
    await poll({ signal, firstMs: 250, longestMs: 2_000, until, answered: true }, async () => {
      const listedNow = listedOf({ cluster, signal });
      const missing = (await Promise.all(names.map(listedNow))).filter(isMissing);
      if (missing.length === 0) return true;
      if (until.aborted) throw new DeadlineError('it was not listed in time');
      onProgress({ kind: 'waiting', what, last: 'not listed yet' });
      return undefined;
    });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    onProgress({
      kind: 'note',
      what: `kubectl may not know the resources yet: kubectl get --raw works, and apisvc verify says more in two minutes`,
    });
  }
}

const isMissing = (listed: Observed<ListedView>): boolean =>
  listed.state === 'absent' || (listed.state === 'seen' && listed.value.resources.length === 0);
