import type { ApiSnapshot } from '../../snapshot/types.ts';
import { availableMs, type Check, observation, seen, works } from './check.ts';
import { parseResourceList } from './discovery.ts';

/** kube-apiserver asks every extension API server once a minute (kube-aggregator pkg/apiserver/handler_discovery.go, Run). */
const delayMs = 120_000;

/** What kubectl is told of the API: it answers, and yet is as good as not there when the document of all groups does not say so. */
export const checkListed: Check = (context) => {
  const { snapshot, api } = context;
  if (!api.service || !works(context) || !(availableMs(context) > delayMs)) return [];
  const served = parseResourceList(seen(snapshot.aggregated)?.body ?? '')?.resources ?? [];
  if (served.length === 0) return [];
  return missing(snapshot.listed).map((line) =>
    observation('discovery/not-listed', [line, `GET through the aggregator: ${served.join(', ')}`]),
  );
};

function missing(listed: ApiSnapshot['listed']): string[] {
  if (listed.state === 'absent') return ['GET /apis as kubectl asks: not listed'];
  const view = seen(listed);
  return view && view.resources.length === 0 ? [`GET /apis as kubectl asks: ${view.freshness}, no resources`] : [];
}
