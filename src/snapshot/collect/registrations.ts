import { getObject, listObjects } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { groupVersionOf } from '../../config/registration.ts';
import { seen } from '../observed.ts';
import type { ApiServiceView, NeighbourView, Observed, Wanted } from '../types.ts';
import { viewApiService } from '../views.ts';
import type { CollectContext } from './context.ts';
import { observe } from './observe.ts';

/** Up to this many APIServices are read one by one. For more, the list is as fast. */
const singleReadLimit = 4;

const collection = { resource: resources.APIService };

/** The selected APIServices, and what all APIServices of the cluster claim. */
export interface Registrations {
  /** In the order of the given names; a selection is sorted by name. */
  readonly wanted: readonly { readonly name: string; readonly apiService: Observed<ApiServiceView> }[];
  readonly all: Observed<readonly NeighbourView[]>;
}

/**
 * Reads the selected APIServices, and lists all of them to find the neighbours.
 * @throws ClusterError when the list for `all` or a label selector fails; the reason of the signal
 */
export async function findRegistrations(context: CollectContext, wanted: Wanted): Promise<Registrations> {
  if ('all' in wanted) {
    const value = await listed(context);
    return { wanted: inOrder(value), all: neighbourViews({ state: 'seen', value }) };
  }
  const listing = observe(
    context,
    () => listed(context),
    (found) => found,
  );
  if ('names' in wanted) {
    const [named, all] = await Promise.all([findNamed(context, wanted.names, listing), listing]);
    return { wanted: named, all: neighbourViews(all) };
  }
  const [selected, all] = await Promise.all([listed(context, wanted.labelSelector), listing]);
  return { wanted: inOrder(selected), all: neighbourViews(all) };
}

async function listed({ cluster, signal }: CollectContext, labelSelector?: string): Promise<readonly ApiServiceView[]> {
  const of = labelSelector === undefined ? collection : { ...collection, labelSelector };
  return (await listObjects(cluster, of, signal)).map(viewApiService);
}

const inOrder = (found: readonly ApiServiceView[]): Registrations['wanted'] =>
  found
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map((value) => ({ name: value.name, apiService: { state: 'seen', value } }));

async function findNamed(context: CollectContext, names: readonly string[], listing: Promise<Observed<readonly ApiServiceView[]>>) {
  const { cluster, signal } = context;
  const all = names.length > singleReadLimit ? await listing : undefined;
  const known = new Map((all && seen(all))?.map((each) => [each.name, each]));
  const find = async (name: string): Promise<Observed<ApiServiceView>> => {
    const value = known.get(name);
    if (value) return { state: 'seen', value };
    return observe(context, () => getObject(cluster, { ...collection, namespace: undefined, name }, signal), viewApiService);
  };
  return Promise.all(names.map(async (name) => ({ name, apiService: await find(name) })));
}

/**
 * Finds the APIServices that affect one: those of its group, those of its Service, and the Local
 * ones, over whose groups it may take priority. To record all of them for each one would make a
 * snapshot quadratic in size, and to compare each with each its duration.
 */
export function neighboursIn(all: Registrations['all']): (name: string, apiService: Observed<ApiServiceView>) => Observed<NeighbourView[]> {
  if (all.state !== 'seen') return () => all;
  const position = new Map(all.value.map((each, index) => [each, index]));
  const ofGroup = groupedBy(all.value, ({ group }) => group);
  const ofService = groupedBy(all.value, ({ service }) => service);
  return (name, apiService) => {
    const registered = seen(apiService);
    const service = registered && serviceOf(registered);
    const found = new Set(
      [ofService.get(undefined), ofService.get(service), ofGroup.get(groupVersionOf(name).group)].flatMap((each) => each ?? []),
    );
    const inOrder = [...found].sort((one, other) => (position.get(one) ?? 0) - (position.get(other) ?? 0));
    return { state: 'seen', value: inOrder.filter((each) => each.name !== name) };
  };
}

function groupedBy<K>(items: readonly NeighbourView[], keyOf: (item: NeighbourView) => K): ReadonlyMap<K, readonly NeighbourView[]> {
  const groups = new Map<K, NeighbourView[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

const neighbourViews = (all: Observed<readonly ApiServiceView[]>): Registrations['all'] =>
  all.state === 'seen' ? { ...all, value: all.value.map(neighbourView) } : all;

const neighbourView = (api: ApiServiceView): NeighbourView => ({
  name: api.name,
  group: api.group,
  groupPriorityMinimum: api.groupPriorityMinimum,
  versionPriority: api.versionPriority,
  service: serviceOf(api),
});

const serviceOf = ({ service }: ApiServiceView): string | undefined => service && `${service.namespace}/${service.name}`;
