import type { ListedView, Observed } from '../types.ts';
import { listOf, textOf } from '../views.ts';
import { type Asking, skipped } from './looking.ts';
import { answerOf } from './requests.ts';

/** The document of all groups at once, which kubectl asks for since 1.26 (KEP-3352; k8s.io/client-go/discovery, AcceptV2). */
const request = { path: '/apis', accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };

/** What it says of every APIService, by name. */
type Listing = ReadonlyMap<string, ListedView>;

/** Looks a version of a group up in the document of all groups, which is asked for once. */
export function listedOf(asking: Asking): (name: string) => Promise<Observed<ListedView>> {
  let listing: Promise<Observed<Listing>> | undefined;
  return async (name) => {
    listing ??= lookAtListing(asking);
    const found = await listing;
    if (found.state !== 'seen') return found;
    const value = found.value.get(name);
    return value ? { state: 'seen', value } : { state: 'absent' };
  };
}

async function lookAtListing(asking: Asking): Promise<Observed<Listing>> {
  const answer = await answerOf(asking, request);
  if (answer.state !== 'seen') return answer;
  const value = readListing(answer.value.body);
  return value ? { state: 'seen', value } : skipped('this kube-apiserver has no document of all groups');
}

/** @param body an APIGroupDiscoveryList (k8s.io/api/apidiscovery/v2/types.go); an older kube-apiserver answers with something else, of which nothing is made */
export function readListing(body: string): Listing | undefined {
  const versions = versionsIn(body)?.map(({ group, version, freshness, resources }): [string, ListedView] => [
    `${textOf(version)}.${textOf(group)}`,
    { freshness: textOf(freshness), resources: listOf(resources).map(({ resource }) => textOf(resource)) },
  ]);
  return versions && new Map(versions);
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of anyone; every field that is read is checked or defaulted.
function versionsIn(body: string): any[] | undefined {
  try {
    const { kind, items } = JSON.parse(body);
    if (kind !== 'APIGroupDiscoveryList') return undefined;
    return listOf(items).flatMap(({ metadata, versions }) => listOf(versions).map((each) => ({ ...each, group: metadata?.name })));
  } catch {
    return undefined;
  }
}
