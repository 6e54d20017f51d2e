import { type PodProblem, problemOf } from '../../snapshot/pod-problem.ts';
import type { ServiceView } from '../../snapshot/types.ts';
import type { Code } from '../catalog.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, flagOf, observation, quote, seen, spokenOf, works } from './check.ts';

/** The Service that the APIService points at, and its port. The proxy needs the port of every Service but an ExternalName (k8s.io/apiserver/pkg/util/proxy/proxy.go). */
export const checkService: Check = (context) => {
  const { snapshot, api } = context;
  if (!api.service) return [];
  if (snapshot.service.state === 'absent') return [observation('service/missing', [`spec.service: ${JSON.stringify(api.service)}`])];
  const service = seen(snapshot.service);
  if (!service) return checkSpoken(context);
  return [...(service.type !== 'ExternalName' ? checkPort(context, service) : []), ...checkType(context, service)];
};

/** Reasons that leave no doubt (kube-aggregator pkg/controllers/status/remote). Its controller watches Services and EndpointSlices, so they are fresh. */
const codeOfReason: Readonly<Record<string, Code>> = {
  ServiceNotFound: 'service/missing',
  ServicePortError: 'service/port-missing',
  EndpointsNotFound: 'endpoints/none',
};

/** What kube-apiserver says of a Service that the person may not look at. */
function checkSpoken(context: CheckContext): readonly Observation[] {
  const { available } = context.api;
  const code = available?.status === 'False' && !works(context) ? codeOfReason[available.reason] : undefined;
  return [
    ...(available && code ? [observation(code, [`Available=${available.status} (${available.reason}): ${available.message}`])] : []),
    ...checkType(context, undefined),
  ];
}

function checkPort(context: CheckContext, service: ServiceView): readonly Observation[] {
  const port = context.api.service?.port;
  const index = service.ports.findIndex((each) => each.port === port);
  const found = service.ports[index];
  if (found) return checkTargetPort(context, service, { ...found, index });
  const ports = service.ports.map(({ name, port }) => (name ? `${port} (${name})` : String(port))).join(', ');
  return [
    observation('service/port-missing', [`ports of the Service: ${ports || 'none'}`, `spec.service.port of the APIService: ${port}`]),
  ];
}

interface ServicePort {
  readonly name: string;
  readonly targetPort: string;
  /** Its place in the list of the Service. */
  readonly index: number;
}

function checkTargetPort(context: CheckContext, service: ServiceView, { name, targetPort, index }: ServicePort): readonly Observation[] {
  // Endpoints of a Service without selector are somebody else's business.
  if (Object.keys(service.selector).length === 0) return [];
  if (!/^\d+$/.test(targetPort)) {
    const ready = (seen(context.snapshot.endpoints) ?? []).filter((endpoint) => endpoint.ready);
    if (ready.length === 0 || ready.some(({ ports }) => ports.some((port) => port.name === name))) return [];
    return [observation('service/target-port-unknown', [`targetPort of the Service: ${targetPort}`], { targetPort })];
  }
  const listening = flagOf(context, 'secure-port');
  const served = context.probes.some(({ handshake }) => handshake.kind === 'served');
  if (listening === undefined || !/^\d+$/.test(listening) || listening === targetPort || works(context) || served || stopped(context))
    return [];
  const right = service.ports.find((port) => port.targetPort === listening);
  if (right) {
    const evidence = [`ports of the Service: ${service.ports.map((each) => `${each.port} to ${each.targetPort}`).join(', ')}`];
    return [observation('service/other-port', evidence, { targetPort, listening, right: String(right.port) })];
  }
  return [
    observation(
      'service/wrong-target-port',
      [`targetPort of the Service: ${targetPort}`, `port in the flags of the server: ${listening}`],
      { targetPort, listening, index: String(index) },
    ),
  ];
}

/** Troubles of a pod whose server does not run: it listens nowhere, whatever its flags say. */
const stops: readonly PodProblem['kind'][] = ['crashing', 'image', 'cannot-start', 'unschedulable', 'node'];

/** Whether no server runs behind the Service. */
function stopped({ snapshot, now }: CheckContext): boolean {
  const kinds = (seen(snapshot.pods) ?? []).map((pod) => problemOf(pod, now)?.kind);
  return kinds.length > 0 && kinds.every((kind) => kind !== undefined && stops.includes(kind));
}

/** Which types of Services kube-apiserver can route to depends on --enable-aggregator-routing, which only its words show. */
function checkType(context: CheckContext, service: ServiceView | undefined): readonly Observation[] {
  const headless = spokenOf(context, 'headless');
  if (headless) return [observation('service/headless', [quote(headless)])];
  const unsupported = spokenOf(context, 'unsupported-type');
  if (unsupported) return [observation('service/external-name-unsupported', [quote(unsupported)])];
  const unresolved = spokenOf(context, 'no-such-host');
  if (!unresolved || service?.type !== 'ExternalName') return [];
  return [observation('service/external-name-unresolved', [quote(unresolved)], { externalName: service.externalName ?? '' })];
}
