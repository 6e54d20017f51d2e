import { getObject, listObjects, slicesOf } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { type RotationLease, rotationLease, rotationLeaseSelector, viewRotationLease } from '../../cluster/rotation-lease.ts';
import { ClusterError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { skipped } from '../observed.ts';
import type { EndpointView, NamespaceView, Observed, ServiceView } from '../types.ts';
import { textsOf, viewEndpoints, viewNamespace, viewService } from '../views.ts';
import type { CollectContext } from './context.ts';
import { observe } from './observe.ts';

/** Up to this many Services are read one by one. For more, one list of all Services is faster. */
const singleReadLimit = 8;

/** The name of a namespaced object. */
export interface Name {
  readonly namespace: string;
  readonly name: string;
}

/** Looks up Services, EndpointSlices and namespaces. */
export interface Inventory extends Objects {
  /** Skipped without the permission to get namespaces, because few users have it. */
  namespace(name: string): Promise<Observed<NamespaceView>>;
}

interface Objects {
  service(of: Name): Promise<Observed<ServiceView>>;
  endpoints(of: Name): Promise<Observed<readonly EndpointView[]>>;
  /** The Lease of a rotation of the certificate of a Service. */
  rotation(of: Name): Promise<Observed<RotationLease>>;
}

/**
 * Reads Services one by one, or all in one list when there are many. A user without the permission
 * to list the whole cluster may still read single namespaces, so a refused list falls back to
 * single reads.
 * @param count how many Services will be looked up
 */
export function inventoryOf(context: CollectContext, count: number): Inventory {
  const namespaces = new Map<string, Promise<Observed<NamespaceView>>>();
  return {
    ...(count > singleReadLimit ? wholeCluster(context) : oneByOne(context)),
    namespace(name) {
      const reading = namespaces.get(name) ?? readNamespace(context, name);
      namespaces.set(name, reading);
      return reading;
    },
  };
}

async function readNamespace(context: CollectContext, name: string): Promise<Observed<NamespaceView>> {
  const { cluster, signal } = context;
  const found = await observe(
    context,
    () => getObject(cluster, { resource: resources.Namespace, namespace: undefined, name }, signal),
    viewNamespace,
  );
  return found.state === 'unseen' ? skipped(found.words) : found;
}

function oneByOne(context: CollectContext): Objects {
  const { cluster, signal } = context;
  return {
    service: (of) => observe(context, () => getObject(cluster, { resource: resources.Service, ...of }, signal), viewService),
    endpoints: (of) =>
      observe(
        context,
        () => listObjects(cluster, slicesOf(of), signal),
        (found) => found.flatMap(viewEndpoints),
      ),
    rotation: (of) => observe(context, () => getObject(cluster, rotationLease(of), signal), viewRotationLease),
  };
}

function wholeCluster(context: CollectContext): Objects {
  const services = listed(context, resources.Service, keyOf);
  // A cluster has a Lease for each node.
  const leases = listed(context, resources.Lease, keyOf, rotationLeaseSelector);
  const slices = listed(context, resources.EndpointSlice, ({ metadata }) => {
    const name = textsOf(metadata.labels)['kubernetes.io/service-name'];
    return name === undefined ? '' : `${metadata.namespace}/${name}`;
  });
  const single = oneByOne(context);
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
    async rotation(of) {
      const found = await leases;
      if (!found) return single.rotation(of);
      const [lease] = found.get(`${of.namespace}/${rotationLease(of).name}`) ?? [];
      return lease ? { state: 'seen', value: viewRotationLease(lease) } : { state: 'absent' };
    },
  };
}

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;

type Resource = (typeof resources)[keyof typeof resources];

/**
 * All objects of a kind, grouped by a key.
 * @returns undefined when the list fails or is too large for one answer
 */
async function listed(
  { cluster, signal }: CollectContext,
  resource: Resource,
  key: (object: KubeObject) => string,
  labelSelector?: string,
) {
  try {
    const found = new Map<string, KubeObject[]>();
    for (const object of await listObjects(cluster, { resource, ...(labelSelector === undefined ? {} : { labelSelector }) }, signal)) {
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
