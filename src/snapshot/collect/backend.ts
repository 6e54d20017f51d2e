import { serverNameOf } from '../../config/registration.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { seen, skipped } from '../observed.ts';
import { viewPod } from '../pod-view.ts';
import { chooseServer, servingContainer, viewServer } from '../server-view.ts';
import { dialTargets, type Target } from '../targets.ts';
import type { ApiServiceView, ApiSnapshot, EndpointView, Observed, ServiceView } from '../types.ts';
import type { CollectContext } from './context.ts';
import { collectDelegation } from './delegation.ts';
import type { Inventory } from './inventory.ts';
import { observe } from './observe.ts';
import { addPodDetails, listPods } from './pods.ts';
import { probeEndpoints } from './probe.ts';
import { collectRotation } from './rotation.ts';
import { collectSecret } from './secret.ts';
import type { ServingContainer } from './server-log.ts';

/** The Service that an APIService points at. */
export type ServiceRef = NonNullable<ApiServiceView['service']>;

/** The observations behind a Service: the same for every APIService that points at it. */
export type Backend = Pick<
  ApiSnapshot,
  'service' | 'namespace' | 'rotation' | 'endpoints' | 'pods' | 'probes' | 'server' | 'secret' | 'delegation'
> & {
  /** The dialled endpoints, in the order of the probes. */
  readonly targets: readonly Target[];
  /** Undefined where it is not known. */
  readonly container: ServingContainer | undefined;
};

/**
 * The most endpoints of one Service that are dialled. All pods mount the same Secret, so more of
 * them would add load and no facts. The diagnosis says how many were left out.
 */
const endpointLimit = 32;

/** A backend of which nothing was observed. */
export const noBackend = (nothing: Observed<never>): Omit<Backend, 'targets' | 'container'> => ({
  service: nothing,
  endpoints: nothing,
  pods: nothing,
  probes: nothing,
  server: nothing,
  secret: nothing,
  delegation: nothing,
});

/**
 * Collects the Service, its endpoints, pods and certificates. Records what cannot be observed.
 * @throws the reason of the signal
 */
export async function collectBackend(context: CollectContext, inventory: Inventory, target: ServiceRef): Promise<Backend> {
  const [service, endpoints] = await Promise.all([inventory.service(target), inventory.endpoints(target)]);
  const probing = probeTargets(context, { target, service, endpoints });
  const [behind, probed, namespace, rotation] = await Promise.all([
    collectPodsAndServer(context, target, { service, probing }),
    probing,
    serves(service, endpoints) ? undefined : inventory.namespace(target.namespace),
    collectRotation(context, inventory, target),
  ]);
  const rotating = rotation.state === 'absent' ? {} : { rotation };
  return { service, ...(namespace ? { namespace } : {}), ...rotating, endpoints, ...behind, ...probed };
}

/** Whether the Service has what it needs, as far as is known. */
function serves(service: Observed<ServiceView>, endpoints: Observed<readonly EndpointView[]>): boolean {
  if (service.state === 'absent' || seen(service)?.deleting) return false;
  return seen(service)?.type === 'ExternalName' || endpoints.state !== 'seen' || endpoints.value.some(({ ready }) => ready);
}

interface Behind {
  readonly service: Observed<ServiceView>;
  readonly probing: Promise<Pick<Backend, 'probes'>>;
}

async function collectPodsAndServer(context: CollectContext, target: ServiceRef, { service, probing }: Behind) {
  const { cluster, signal } = context;
  const { namespace, port } = target;
  const objects = await podsBehind(context, namespace, service);
  if (objects.state !== 'seen') {
    const nothing = skipped('the pods of the Service are not known');
    return { pods: objects, server: nothing, secret: nothing, delegation: nothing, container: undefined };
  }
  const chosen = chooseServer(objects.value);
  const targetPort = seen(service)?.ports.find((each) => each.port === port)?.targetPort;
  const server: ApiSnapshot['server'] = chosen ? { state: 'seen', value: viewServer(chosen, targetPort) } : { state: 'absent' };
  const [pods, secret, delegation] = await Promise.all([
    observe(
      context,
      () => addPodDetails(cluster, namespace, objects.value.map(viewPod), signal, context),
      (views) => views,
    ),
    chosen
      ? collectSecret(context, { chosen, pods: objects.value, targetPort, host: serverNameOf(target), probing })
      : skipped('the Service has no pod'),
    server.state === 'seen' ? collectDelegation(context, namespace, server.value.serviceAccount) : skipped('the Service has no pod'),
  ]);
  const container = chosen && servingContainer(chosen, targetPort)?.name;
  return { pods, server, secret, delegation, container: container && { namespace, pod: chosen.metadata.name, container } };
}

async function podsBehind(
  context: CollectContext,
  namespace: string,
  service: Observed<ServiceView>,
): Promise<Observed<readonly KubeObject[]>> {
  if (service.state !== 'seen') return skipped('the Service is not known');
  const { selector: matchLabels, type } = service.value;
  // Without a selector, something else manages the endpoints, and they need not be pods.
  if (type === 'ExternalName' || Object.keys(matchLabels).length === 0) return skipped('the Service selects no pods');
  const { cluster, signal } = context;
  return observe(
    context,
    () => listPods(cluster, { namespace, selector: { matchLabels } }, signal),
    (found) => found,
  );
}

interface ProbeRequest {
  readonly target: ServiceRef;
  readonly service: Observed<ServiceView>;
  readonly endpoints: Observed<readonly EndpointView[]>;
}

async function probeTargets(
  context: CollectContext,
  { target: { namespace, name, port }, service, endpoints }: ProbeRequest,
): Promise<Pick<Backend, 'probes' | 'targets'>> {
  const targets = service.state === 'seen' ? dialTargets(service.value, seen(endpoints) ?? [], port).slice(0, endpointLimit) : [];
  if (targets.length === 0) return { probes: skipped('the Service has no ready endpoint'), targets };
  return { probes: { state: 'seen', value: await probeEndpoints(context, { namespace, name }, targets) }, targets };
}
