import { dialEndpoint } from '../../cluster/dial.ts';
import { serverNameOf } from '../../config/registration.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewPod } from '../pod-view.ts';
import { chooseServer, viewServer } from '../server-view.ts';
import { dialTargets, type Target } from '../targets.ts';
import type { ApiServiceView, ApiSnapshot, EndpointView, Observed, ServiceView } from '../types.ts';
import { lookAtDelegation } from './delegation.ts';
import type { Inventory } from './inventory.ts';
import { type Looking, see, skipped } from './looking.ts';
import { listPods, lookCloserAt } from './pods.ts';
import { viewProbe } from './probe.ts';
import { lookAtSecret } from './secret.ts';

/** What an APIService points at. */
export type ServiceRef = NonNullable<ApiServiceView['service']>;

/** What is behind a Service: the same for every APIService that points at it. */
export type Backend = Pick<ApiSnapshot, 'service' | 'endpoints' | 'pods' | 'probes' | 'server' | 'secret' | 'delegation'> & {
  /** The endpoints that were dialled, in the order of the probes. */
  readonly targets: readonly Target[];
};

/** Endpoints of one Service that are dialled; more would be an attack on it, and every one of them gets the same Secret. The diagnosis says how many more there are. */
const endpointLimit = 32;

/** A backend of which nothing is known. */
export const noBackend = (nothing: Observed<never>): Omit<Backend, 'targets'> => ({
  service: nothing,
  endpoints: nothing,
  pods: nothing,
  probes: nothing,
  server: nothing,
  secret: nothing,
  delegation: nothing,
});

/** Looks at what is behind a Service. What can't be seen is recorded as such. @throws the signal's reason */
export async function lookAtBackend(looking: Looking, inventory: Inventory, target: ServiceRef): Promise<Backend> {
  const [service, endpoints] = await Promise.all([inventory.service(target), inventory.endpoints(target)]);
  const [behind, probed] = await Promise.all([lookBehind(looking, target, service), probe(looking, { target, service, endpoints })]);
  return { service, endpoints, ...behind, ...probed };
}

async function lookBehind(looking: Looking, { namespace, port }: ServiceRef, service: Observed<ServiceView>) {
  const { cluster, signal } = looking;
  const objects = await podsBehind(looking, namespace, service);
  if (objects.state !== 'seen') {
    const nothing = skipped('no pod of it is known');
    return { pods: objects, server: nothing, secret: nothing, delegation: nothing };
  }
  const chosen = chooseServer(objects.value);
  const targetPort = service.state === 'seen' ? service.value.ports.find((each) => each.port === port)?.targetPort : undefined;
  const server: ApiSnapshot['server'] = chosen ? { state: 'seen', value: viewServer(chosen, targetPort) } : { state: 'absent' };
  const [pods, secret, delegation] = await Promise.all([
    see(
      looking,
      () => lookCloserAt(cluster, namespace, objects.value.map(viewPod), signal),
      (views) => views,
    ),
    chosen ? lookAtSecret(looking, { chosen, pods: objects.value, targetPort }) : skipped('there is no pod'),
    server.state === 'seen' ? lookAtDelegation(looking, namespace, server.value.serviceAccount) : skipped('there is no pod'),
  ]);
  return { pods, server, secret, delegation };
}

async function podsBehind(looking: Looking, namespace: string, service: Observed<ServiceView>): Promise<Observed<readonly KubeObject[]>> {
  if (service.state !== 'seen') return skipped('the Service is not known');
  const { selector: matchLabels, type } = service.value;
  // Without a selector the endpoints are somebody else's business, and need not be pods.
  if (type === 'ExternalName' || Object.keys(matchLabels).length === 0) return skipped('the Service selects no pods');
  const { cluster, signal } = looking;
  return see(
    looking,
    () => listPods(cluster, { namespace, selector: { matchLabels } }, signal),
    (found) => found,
  );
}

interface ProbeRequest {
  readonly target: ServiceRef;
  readonly service: Observed<ServiceView>;
  readonly endpoints: Observed<readonly EndpointView[]>;
}

async function probe(
  { cluster, dials, signal }: Looking,
  { target: { namespace, name, port }, service, endpoints }: ProbeRequest,
): Promise<Pick<Backend, 'probes' | 'targets'>> {
  const known = endpoints.state === 'seen' ? endpoints.value : [];
  const targets = service.state === 'seen' ? dialTargets(service.value, known, port).slice(0, endpointLimit) : [];
  if (targets.length === 0) return { probes: skipped('there is no ready endpoint'), targets };
  const serverName = serverNameOf({ namespace, name });
  const value = await Promise.all(
    targets.map(async (target) =>
      viewProbe(target, await dials(() => dialEndpoint(cluster, { ...target, namespace, serverName }, signal))),
    ),
  );
  return { probes: { state: 'seen', value }, targets };
}
