import { mayGetPath } from '../cluster/access.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { Unreachable } from '../cluster/faults.ts';
import { getObject, listObjects, slicesOf } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { badCredentials, readStatus } from '../cluster/status.ts';
import { ClusterError } from '../errors.ts';
import { look } from './look.ts';
import { lookAtPods } from './pods.ts';
import { probeEndpoints } from './probe.ts';
import { dialTargets } from './targets.ts';
import type {
  ApiServiceView,
  ApiSnapshot,
  EndpointProbe,
  EndpointView,
  HttpView,
  Observed,
  PodView,
  ServiceView,
  Snapshot,
} from './types.ts';
import { viewApiService, viewEndpoints, viewService } from './views.ts';

/** As much of a body as is kept; a discovery document of a large API has some 50 kB. */
const bodyLimit = 1024 * 1024;

/** Endpoints of one Service that are dialled; more would be an attack on it, and every one of them gets the same Secret. The diagnosis says how many more there are. */
const endpointLimit = 32;

/**
 * Looks at everything that a diagnosis needs, and changes nothing. What can't be seen is recorded as such.
 * @param names of APIServices
 * @throws ClusterError when the cluster gives no answer or refuses the credentials; the signal's reason when it is aborted
 */
export async function takeSnapshot(cluster: Cluster, names: readonly string[], signal: AbortSignal): Promise<Snapshot> {
  const apis = await Promise.all(names.map((name) => snapshotApi(cluster, name, signal)));
  // Last, over a connection that is open already: nothing else depends on it.
  const version = await serverVersion(cluster, signal);
  const { server, context } = cluster;
  return {
    apiVersion: 'apisvc.dev/snapshot/v1alpha1',
    takenAt: new Date().toISOString(),
    source: { kind: 'cluster', server, context, version },
    apis,
  };
}

async function serverVersion(cluster: Cluster, signal: AbortSignal): Promise<string | undefined> {
  const answer = await cluster.request({ path: '/version', signal });
  if (answer.status === 401) throw badCredentials(cluster, new Date());
  if (answer.status !== 200) return undefined;
  try {
    return String(JSON.parse(answer.body).gitVersion);
  } catch {
    return undefined;
  }
}

const skipped = (words: string): Observed<never> => ({ state: 'unseen', reason: 'skipped', words });

async function snapshotApi(cluster: Cluster, name: string, signal: AbortSignal): Promise<ApiSnapshot> {
  // The name of an APIService gives its path, so the request through the aggregator need not wait for the object.
  const [apiService, aggregated] = await Promise.all([
    look(signal, () => getObject(cluster, { resource: resources.APIService, namespace: undefined, name }, signal), viewApiService),
    throughAggregator(cluster, name, signal),
  ]);
  return { name, apiService, aggregated, ...(await snapshotBackend(cluster, apiService, signal)) };
}

type Backend = Pick<ApiSnapshot, 'service' | 'endpoints' | 'pods' | 'probes'>;

async function snapshotBackend(cluster: Cluster, apiService: Observed<ApiServiceView>, signal: AbortSignal): Promise<Backend> {
  if (apiService.state !== 'seen' || !apiService.value.service) {
    const nothing = skipped('it is not known which Service it points at');
    return { service: nothing, endpoints: nothing, pods: nothing, probes: nothing };
  }
  const target = apiService.value.service;
  const { namespace, name } = target;
  const [service, endpoints] = await Promise.all([
    look(signal, () => getObject(cluster, { resource: resources.Service, namespace, name }, signal), viewService),
    look(
      signal,
      () => listObjects(cluster, slicesOf(target), signal),
      (found) => found.flatMap(viewEndpoints),
    ),
  ]);
  const [pods, probes] = await Promise.all([
    podsBehind(cluster, namespace, service, signal),
    probe(cluster, { target, service, endpoints }, signal),
  ]);
  return { service, endpoints, pods, probes };
}

async function podsBehind(
  cluster: Cluster,
  namespace: string,
  service: Observed<ServiceView>,
  signal: AbortSignal,
): Promise<Observed<readonly PodView[]>> {
  if (service.state !== 'seen') return skipped('the Service is not known');
  const { selector: matchLabels, type } = service.value;
  // Without a selector the endpoints are somebody else's business, and need not be pods.
  if (type === 'ExternalName' || Object.keys(matchLabels).length === 0) return skipped('the Service selects no pods');
  return lookAtPods(cluster, { namespace, selector: { matchLabels } }, signal);
}

async function throughAggregator(cluster: Cluster, name: string, signal: AbortSignal): Promise<Observed<HttpView>> {
  const dot = name.indexOf('.');
  const [version, group] = [name.slice(0, dot), name.slice(dot + 1)];
  // `v1.` is the core group, which has a path of its own.
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  try {
    const answer = await cluster.request({ path, signal });
    // kube-apiserver asks RBAC before it passes a request on: where that allows the path, it is the server that refuses.
    if (answer.status === 403 && !(await mayGetPath(cluster, path, signal))) {
      return { state: 'unseen', reason: 'forbidden', words: readStatus(answer).message };
    }
    return { state: 'seen', value: { path, status: answer.status, body: answer.body.trim().slice(0, bodyLimit) } };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ClusterError)) throw error;
    // system:anonymous may not even ask what it may do.
    return { state: 'unseen', reason: error instanceof Unreachable ? 'unreachable' : 'forbidden', words: error.message };
  }
}

interface ProbeRequest {
  readonly target: NonNullable<ApiServiceView['service']>;
  readonly service: Observed<ServiceView>;
  readonly endpoints: Observed<readonly EndpointView[]>;
}

async function probe(
  cluster: Cluster,
  { target, service, endpoints }: ProbeRequest,
  signal: AbortSignal,
): Promise<Observed<readonly EndpointProbe[]>> {
  const known = endpoints.state === 'seen' ? endpoints.value : [];
  const targets = service.state === 'seen' ? dialTargets(service.value, known, target.port) : [];
  if (targets.length === 0) return skipped('there is no ready endpoint');
  return { state: 'seen', value: await probeEndpoints(cluster, target, targets.slice(0, endpointLimit), signal) };
}
