import { parseResourceList } from '../../snapshot/api-resources.ts';
import type { ApiSnapshot } from '../../snapshot/types.ts';
import { availableMs, type Check, observation, seen, works } from './check.ts';

/**
 * kube-apiserver requests discovery of every extension API server once a minute (kube-aggregator
 * pkg/apiserver/handler_discovery.go, Run).
 */
const delayMs = 120_000;

/**
 * Whether aggregated discovery lists the API. kubectl does not find the resources of an API that is
 * not listed.
 */
export const checkListed: Check = (context) => {
  const { snapshot, api } = context;
  if (!api.service || !works(context) || !(availableMs(context) > delayMs)) return [];
  const served = parseResourceList(seen(snapshot.aggregated)?.body ?? '')?.resources ?? [];
  if (served.length === 0) return [];
  return missing(snapshot.listed).map((line) => observation('discovery/not-listed', [line, `resources of the API: ${served.join(', ')}`]));
};

function missing(listed: ApiSnapshot['listed']): string[] {
  if (listed.state === 'absent') return ['GET /apis (aggregated discovery): not listed'];
  const view = seen(listed);
  return view && view.resources.length === 0 ? [`GET /apis (aggregated discovery): ${view.freshness}, no resources`] : [];
}
