import { getObject, listObjects, slicesOf } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { ClusterError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import type { EndpointView, Observed, ServiceView } from '../types.ts';
import { textsOf, viewEndpoints, viewService } from '../views.ts';
import { type Looking, see } from './looking.ts';

/** Services that are asked for one by one; of more than these, one list of all is quicker. */
const handful = 8;

/** The name of an object that lives in a namespace. */
export interface Name {
  readonly namespace: string;
  readonly name: string;
}

/** Where Services and EndpointSlices are looked up. */
export interface Inventory {
  service(of: Name): Promise<Observed<ServiceView>>;
  endpoints(of: Name): Promise<Observed<readonly EndpointView[]>>;
}

/**
 * Looks Services up one by one, or in one list of the whole cluster when many are meant. Who may not list the cluster may be allowed to look into namespaces, so
 * that is what follows upon a refusal.
 * @param count of the Services that are meant
 */
export function inventoryOf(looking: Looking, count: number): Inventory {
  return count > handful ? wholeCluster(looking) : oneByOne(looking);
}

function oneByOne(looking: Looking): Inventory {
  const { cluster, signal } = looking;
  return {
    service: (of) => see(looking, () => getObject(cluster, { resource: resources.Service, ...of }, signal), viewService),
    endpoints: (of) =>
      see(
        looking,
        () => listObjects(cluster, slicesOf(of), signal),
        (found) => found.flatMap(viewEndpoints),
      ),
  };
}

function wholeCluster(looking: Looking): Inventory {
  const services = listed(looking, resources.Service, keyOf);
  const slices = listed(looking, resources.EndpointSlice, ({ metadata }) => {
    const name = textsOf(metadata.labels)['kubernetes.io/service-name'];
    return name === undefined ? '' : `${metadata.namespace}/${name}`;
  });
  const single = oneByOne(looking);
  return {
    async service(of) {
      const found = await services;
      if (!found) return single.service(of);
      const [object] = found.get(`${of.namespace}/${of.name}`) ?? [];
      return object ? { state: 'seen', value: viewService(object) } : { state: 'absent' };
    },
    async endpoints(of) {
      const found = await slices;
      if (!found) return single.endpoints(of);
      return { state: 'seen', value: (found.get(`${of.namespace}/${of.name}`) ?? []).flatMap(viewEndpoints) };
    },
  };
}

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;

type Resource = (typeof resources)[keyof typeof resources];

/** All objects of a kind by a key; undefined when they can't be listed, or when they are too many for one answer. */
async function listed({ cluster, signal }: Looking, resource: Resource, key: (object: KubeObject) => string) {
  try {
    const found = new Map<string, KubeObject[]>();
    for (const object of await listObjects(cluster, { resource }, signal)) {
      const group = found.get(key(object));
      if (group) group.push(object);
      else found.set(key(object), [object]);
    }
    return found;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ClusterError)) throw error;
    return undefined;
  }
}
