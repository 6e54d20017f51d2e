import { getObject, listObjects } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { groupVersionOf } from '../../config/registration.ts';
import type { ApiServiceView, NeighbourView, Observed, Wanted } from '../types.ts';
import { viewApiService } from '../views.ts';
import { type Looking, see } from './looking.ts';

/** APIServices that are asked for one by one; of more than these, the list is as quick. */
const handful = 4;

const collection = { resource: resources.APIService };

/** The APIServices that are meant, and all of the cluster. */
export interface Registrations {
  /** In the order in which they were asked for; of a selection by name. */
  readonly wanted: readonly { readonly name: string; readonly apiService: Observed<ApiServiceView> }[];
  readonly all: Observed<readonly ApiServiceView[]>;
}

/**
 * Reads the APIServices that are meant, and lists all, which shows the neighbours.
 * @throws ClusterError when a selection can't be listed: without a list nobody knows what is meant; the signal's reason
 */
export async function findRegistrations(looking: Looking, wanted: Wanted): Promise<Registrations> {
  if ('all' in wanted) {
    const value = await listed(looking);
    return { wanted: inOrder(value), all: { state: 'seen', value } };
  }
  const listing = see(
    looking,
    () => listed(looking),
    (found) => found,
  );
  if ('names' in wanted) {
    const [named, all] = await Promise.all([findNamed(looking, wanted.names, listing), listing]);
    return { wanted: named, all };
  }
  const [selected, all] = await Promise.all([listed(looking, wanted.labelSelector), listing]);
  return { wanted: inOrder(selected), all };
}

async function listed({ cluster, signal }: Looking, labelSelector?: string): Promise<readonly ApiServiceView[]> {
  const of = labelSelector === undefined ? collection : { ...collection, labelSelector };
  return (await listObjects(cluster, of, signal)).map(viewApiService);
}

const inOrder = (found: readonly ApiServiceView[]): Registrations['wanted'] =>
  found
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map((value) => ({ name: value.name, apiService: { state: 'seen', value } }));

async function findNamed(looking: Looking, names: readonly string[], listing: Promise<Observed<readonly ApiServiceView[]>>) {
  const { cluster, signal } = looking;
  const all = names.length > handful ? await listing : undefined;
  const known = new Map(all?.state === 'seen' ? all.value.map((each) => [each.name, each]) : []);
  const find = async (name: string): Promise<Observed<ApiServiceView>> => {
    const value = known.get(name);
    if (value) return { state: 'seen', value };
    return see(looking, () => getObject(cluster, { ...collection, namespace: undefined, name }, signal), viewApiService);
  };
  return Promise.all(names.map(async (name) => ({ name, apiService: await find(name) })));
}

/**
 * The APIServices that have to do with one: those of its group, those of its Service, and those of kube-apiserver itself, whose groups it may come before. In a
 * cluster of a thousand all the others of each would be a million.
 */
export function neighboursOf(name: string, apiService: Observed<ApiServiceView>, all: Registrations['all']): Observed<NeighbourView[]> {
  if (all.state !== 'seen') return all;
  const { group } = groupVersionOf(name);
  const service = apiService.state === 'seen' ? serviceOf(apiService.value) : undefined;
  const near = all.value.filter((each) => {
    const own = serviceOf(each);
    return each.name !== name && (own === undefined || own === service || each.group === group);
  });
  return {
    state: 'seen',
    value: near.map((each) => ({
      name: each.name,
      group: each.group,
      groupPriorityMinimum: each.groupPriorityMinimum,
      versionPriority: each.versionPriority,
      service: serviceOf(each),
    })),
  };
}

const serviceOf = ({ service }: ApiServiceView): string | undefined => service && `${service.namespace}/${service.name}`;
