import { isDeepStrictEqual } from 'node:util';
import { GoError, hostPort } from '../../cluster/go-errors.ts';
import { timestamp } from '../shared/timestamp.ts';
import { availableCondition, localCondition } from './api-service.ts';
import { runApiServiceController } from './api-service-controller.ts';
import { trackUpdate } from './apply.ts';
import { ask, transportsOf } from './extension-server.ts';
import { apiServiceKind, apiServicesIn, endpointSliceKind, endpointSlicesOf, isReady, serviceKind, serviceOfSlice } from './lookup.ts';
import { type Route, resolveEndpoint } from './routes.ts';
import type { Obj, Simulation, StoreEvent } from './types.ts';

/** k8s.io/kube-aggregator/pkg/controllers/status/remote/remote_available_controller.go. */
const resyncMs = 30_000;
const probeMs = 5_000;
const retryMs = 5;

const aggregator = { name: 'system:kube-aggregator', groups: ['system:masters'] };

interface Finding {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

const failed = (reason: string, message: string): Finding => ({ status: 'False', reason, message });

/**
 * Maintains the Available condition of every APIService. It checks after changes of the APIService,
 * its Service and EndpointSlices, every 30 s, and sooner after a failed probe. Kubernetes 1.37
 * probes with the TLS settings of the proxy; 1.35 accepts any certificate.
 */
export function runAvailability(simulation: Simulation): void {
  const { store, signal, now } = simulation;
  let writing = false;
  const write = (original: Obj, finding: Finding): void => {
    writing = true;
    try {
      writeCondition(simulation, original, finding);
    } finally {
      writing = false;
    }
  };
  const work = async (name: string): Promise<void> => {
    const apiService = store.get(apiServiceKind, undefined, name);
    if (!apiService) return;
    if (!apiService.spec.service) return write(apiService, localCondition(now()));
    const finding = checkEndpoints(simulation, apiService) ?? (await probe(simulation, apiService));
    if (signal.aborted) return;
    write(apiService, finding);
    if (finding.reason === 'FailedDiscoveryCheck') throw new Error(finding.message);
  };
  // A message with a time or a port differs at each check: its own writes must not trigger one.
  const concernedBy = (event: StoreEvent): string[] => (writing ? [] : affectedBy(simulation, event));
  runApiServiceController(simulation, { work, concernedBy, everyMs: resyncMs, retryMs });
}

/** The APIServices that a change affects. */
function affectedBy({ store }: Simulation, { kind, object }: StoreEvent): string[] {
  if (kind === apiServiceKind) return [object.metadata.name];
  const service = kind === serviceKind ? object.metadata.name : kind === endpointSliceKind ? serviceOfSlice(object) : undefined;
  if (service === undefined) return [];
  const uses = ({ spec }: Obj): boolean => spec.service?.name === service && spec.service.namespace === object.metadata.namespace;
  return apiServicesIn(store)
    .filter(uses)
    .map(({ metadata }) => metadata.name);
}

/** Checks the Service and its endpoints. @returns undefined when the server can be probed */
function checkEndpoints({ store }: Simulation, { spec: { service: reference } }: Obj): Finding | undefined {
  const { namespace, name, port } = reference;
  const which = `service/${name} in ${JSON.stringify(namespace)}`;
  const service = store.get(serviceKind, namespace, name);
  if (!service) return failed('ServiceNotFound', `${which} is not present`);
  if ((service.spec.type ?? 'ClusterIP') !== 'ClusterIP') return undefined;
  const servicePort = service.spec.ports?.find((each: Obj) => each.port === port);
  if (!servicePort) return failed('ServicePortError', `${which} is not listening on port ${port}`);
  const slices = endpointSlicesOf(store, namespace, name);
  if (slices.length === 0) return failed('EndpointsNotFound', `cannot find endpointslices for ${which}`);
  const portName = servicePort.name ?? '';
  const isActive = ({ endpoints, ports }: Obj): boolean =>
    endpoints?.some(isReady) && ports?.some((each: Obj) => (each.name ?? '') === portName && each.port !== undefined);
  return slices.some(isActive)
    ? undefined
    : failed('MissingEndpoints', `endpointslices for ${which} have no addresses with port name ${JSON.stringify(portName)}`);
}

/** @throws GoError for an invalid caBundle: 1.37 then writes no condition */
async function probe(simulation: Simulation, apiService: Obj): Promise<Finding> {
  const transports = transportsOf(simulation);
  const agent = simulation.kubernetes === '1.35' ? transports.unverified : transports.of(apiService);
  let route: Route;
  try {
    route = resolveEndpoint(simulation.store, apiService.spec.service);
  } catch (error) {
    return failed('FailedDiscoveryCheck', (error as Error).message);
  }
  const path = `/apis/${apiService.spec.group}/${apiService.spec.version}`;
  const url = `https://${hostPort(route.host, route.port)}${path}`;
  const failing = (why: string): Finding => failed('FailedDiscoveryCheck', `failing or missing response from ${url}: ${why}`);
  try {
    const { statusCode = 0 } = (await ask(agent, route, { path, as: aggregator, limitMs: probeMs })).resume();
    if (statusCode < 200 || statusCode >= 300) return failing(`bad status from ${url}: ${statusCode}`);
    return { status: 'True', reason: 'Passed', message: 'all checks passed' };
  } catch (error) {
    if (error instanceof GoError) return failing(`Get ${JSON.stringify(url)}: ${error.message}`);
    throw error;
  }
}

/** @throws ApiFailure Conflict when the APIService has changed meanwhile */
function writeCondition({ store, now }: Simulation, original: Obj, finding: Obj): void {
  const before = availableCondition(original);
  const moment = now();
  const lastTransitionTime = before?.status === finding.status ? before?.lastTransitionTime : timestamp(moment);
  const condition = { type: 'Available', status: finding.status, lastTransitionTime, reason: finding.reason, message: finding.message };
  const others = original.status?.conditions ?? [];
  const conditions = before ? others.map((each: Obj) => (each === before ? condition : each)) : [...others, condition];
  if (isDeepStrictEqual(others, conditions)) return;
  const updated = { ...original, status: { ...original.status, conditions } };
  store.update(
    apiServiceKind,
    trackUpdate({ kind: apiServiceKind, live: original, updated, manager: 'kube-apiserver', subresource: 'status', now: moment }),
  );
}
