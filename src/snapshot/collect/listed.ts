import { skipped } from '../observed.ts';
import type { ListedView, Observed } from '../types.ts';
import { type Json, listOf, textOf } from '../views.ts';
import type { RequestContext } from './context.ts';
import { answerOf } from './requests.ts';

/**
 * Aggregated discovery, which kubectl requests since 1.26 (KEP-3352; k8s.io/client-go/discovery,
 * AcceptV2).
 */
const request = { path: '/apis', accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };

/** Its entries, by the name of the APIService. */
type Listing = ReadonlyMap<string, ListedView>;

/** Looks up an APIService in aggregated discovery, which is requested once. */
export function listedOf(asking: RequestContext): (name: string) => Promise<Observed<ListedView>> {
  let listing: Promise<Observed<Listing>> | undefined;
  return async (name) => {
    listing ??= requestListing(asking);
    const found = await listing;
    if (found.state !== 'seen') return found;
    const value = found.value.get(name);
    return value ? { state: 'seen', value } : { state: 'absent' };
  };
}

async function requestListing(asking: RequestContext): Promise<Observed<Listing>> {
  const answer = await answerOf(asking, request);
  if (answer.state !== 'seen') return answer;
  const value = readListing(answer.value.body);
  return value ? { state: 'seen', value } : skipped('this kube-apiserver does not serve aggregated discovery');
}

/**
 * @param body an APIGroupDiscoveryList (k8s.io/api/apidiscovery/v2/types.go)
 * @returns undefined for anything else, which an older kube-apiserver answers with
 */
export function readListing(body: string): Listing | undefined {
  const versions = versionsIn(body)?.map(({ group, version, freshness, resources }): [string, ListedView] => [
    `${textOf(version)}.${textOf(group)}`,
    { freshness: textOf(freshness), resources: listOf(resources).map(({ resource }) => textOf(resource)) },
  ]);
  return versions && new Map(versions);
}

function versionsIn(body: string): Json[] | undefined {
  try {
    const { kind, items } = JSON.parse(body);
    if (kind !== 'APIGroupDiscoveryList') return undefined;
    return listOf(items).flatMap(({ metadata, versions }) => listOf(versions).map((each) => ({ ...each, group: metadata?.name })));
  } catch {
    return undefined;
  }
}
