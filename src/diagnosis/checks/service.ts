import type { ObjectField } from '../../snapshot/offline/objects.ts';
import { type PodProblem, problemOf } from '../../snapshot/pod-problem.ts';
import type { ApiServiceView, ServiceView } from '../../snapshot/types.ts';
import type { Code } from '../catalog.ts';
import type { Observation } from '../types.ts';
import { workloadText } from './certificates-in-files.ts';
import { asWarning, type Check, type CheckContext, findMessage, flagOf, observation, quote, seen, works } from './check.ts';

/**
 * The Service of the APIService, and its port. An ExternalName Service needs no port
 * (k8s.io/apiserver/pkg/util/proxy/proxy.go).
 */
export const checkService: Check = (context) => {
  const { snapshot, api } = context;
  if (!api.service) return [];
  if (snapshot.service.state === 'absent') return [observation('service/missing', [`spec.service: ${JSON.stringify(api.service)}`])];
  const service = seen(snapshot.service);
  if (!service) return [...checkNear(context), ...checkCondition(context)];
  return [
    ...(service.type !== 'ExternalName' ? checkPort(context, service) : []),
    ...checkSelector(context, service),
    ...checkReplicas(context),
    ...checkType(context, service),
  ];
};

/** Files with a Service that is nearly the one of the APIService. It may still be elsewhere. */
function checkNear({ snapshot, api }: CheckContext): readonly Observation[] {
  const near = snapshot.related?.nearService;
  if (!near || !api.service) return [];
  const { namespace, name } = api.service;
  const evidence = [`spec.service of the APIService: ${namespace}/${name}`, `Service in the files: ${near.namespace}/${near.name}`];
  return [observation('service/not-in-files', evidence, { near: `${near.namespace}/${near.name}` })];
}

/** Files with workloads in the namespace, none of which the Service selects. */
function checkSelector({ snapshot, api }: CheckContext, { selector }: ServiceView): readonly Observation[] {
  const { unselected = [], missedServer = false } = snapshot.related ?? {};
  if (unselected.length === 0) return [];
  const wanted = Object.entries(selector).map(([key, value]) => `${key}=${value}`);
  const observed = observation('service/selects-no-pod', [`selector of the Service: ${wanted.join(', ')}`, ...unselected]);
  // Otherwise the server may be in other files.
  return [{ ...(missedServer ? observed : asWarning(observed)), about: aboutService(api, 'spec', 'selector') }];
}

/** Files with a server that is not started. Something may scale it later. */
function checkReplicas({ snapshot }: CheckContext): readonly Observation[] {
  const { workload } = snapshot.related ?? {};
  if (!workload?.withoutReplicas) return [];
  const { kind, namespace, name } = workload;
  const text = workloadText(workload);
  return [
    {
      ...observation('endpoints/no-replicas', [`spec.replicas of ${text}: 0`], { workload: text }),
      about: { kind, namespace, name, path: ['spec', 'replicas'] },
    },
  ];
}

/** A field of the Service. */
const aboutService = ({ service }: ApiServiceView, ...path: readonly (string | number)[]): ObjectField => ({
  kind: 'Service',
  namespace: service?.namespace ?? '',
  name: service?.name ?? '',
  path,
});

/**
 * Reasons of the Available condition that name the fault (kube-aggregator
 * pkg/controllers/status/remote). The controller watches Services and EndpointSlices, so they are
 * up to date.
 */
const codeOfReason: Readonly<Record<string, Code>> = {
  ServiceNotFound: 'service/missing',
  ServicePortError: 'service/port-missing',
  EndpointsNotFound: 'endpoints/none',
};

/** Stands for a port that the user must choose. */
const unknownPort = '<port>';

/** The Available condition of kube-apiserver, for a Service that the user is not allowed to get. */
function checkCondition(context: CheckContext): readonly Observation[] {
  const { available } = context.api;
  const code = available?.status === 'False' && !works(context) ? codeOfReason[available.reason] : undefined;
  return [
    ...(available && code
      ? [observation(code, [`Available=${available.status} (${available.reason}): ${available.message}`], { servicePort: unknownPort })]
      : []),
    ...checkType(context, undefined),
  ];
}

function checkPort(context: CheckContext, service: ServiceView): readonly Observation[] {
  const port = context.api.service?.port;
  // A value of another type has its own finding.
  if (!Number.isInteger(port)) return [];
  const same = service.ports.flatMap((each, index) => (each.port === port ? [{ ...each, index }] : []));
  const found = same.find(({ protocol }) => protocol === undefined);
  if (found) return checkTargetPort(context, service, found);
  const [other] = same;
  if (other) return [otherProtocol(context, other)];
  const [only] = service.ports;
  const ports = service.ports.map(({ name, port }) => (name ? `${port} (${name})` : String(port))).join(', ');
  return [
    observation('service/port-missing', [`ports of the Service: ${ports || 'none'}`, `spec.service.port of the APIService: ${port}`], {
      servicePort: only && service.ports.length === 1 ? String(only.port) : unknownPort,
    }),
  ];
}

interface ServicePort extends Pick<ServiceView['ports'][number], 'name' | 'targetPort' | 'protocol'> {
  /** Its index in spec.ports. */
  readonly index: number;
}

/**
 * kube-apiserver looks only at the number of the port (k8s.io/apiserver/pkg/util/proxy/proxy.go).
 * With --enable-aggregator-routing, it connects to the endpoints, and the API works.
 */
function otherProtocol(context: CheckContext, { protocol = '', index }: ServicePort): Observation {
  const observed = observation('service/not-tcp', [`spec.ports[${index}].protocol of the Service: ${protocol}`], {
    protocol,
    index: String(index),
  });
  return { ...(works(context) ? asWarning(observed) : observed), about: aboutService(context.api, 'spec', 'ports', index, 'protocol') };
}

function checkTargetPort(context: CheckContext, service: ServiceView, { name, targetPort, index }: ServicePort): readonly Observation[] {
  // apisvc cannot know the ports behind a Service without a selector.
  if (Object.keys(service.selector).length === 0) return [];
  const about = aboutService(context.api, 'spec', 'ports', index, 'targetPort');
  if (!/^\d+$/.test(targetPort)) {
    const { workload } = context.snapshot.related ?? {};
    if (workload && !workload.ports.includes(targetPort)) {
      const evidence = [
        `targetPort of the Service: ${targetPort}`,
        `port names of ${workloadText(workload)}: ${workload.ports.join(', ') || 'none'}`,
      ];
      return [{ ...observation('service/target-port-unknown', evidence, { targetPort }), about }];
    }
    const ready = (seen(context.snapshot.endpoints) ?? []).filter((endpoint) => endpoint.ready);
    if (ready.length === 0 || ready.some(({ ports }) => ports.some((port) => port.name === name))) return [];
    return [observation('service/target-port-unknown', [`targetPort of the Service: ${targetPort}`], { targetPort })];
  }
  const listening = flagOf(context, 'secure-port');
  const served = context.source === 'cluster' ? context.probes.some(({ handshake }) => handshake.kind === 'served') : mayBeProxied(context);
  if (listening === undefined || !/^\d+$/.test(listening) || listening === targetPort || works(context) || served || stopped(context))
    return [];
  const right = service.ports.find((port) => port.targetPort === listening);
  if (right) {
    const evidence = [`ports of the Service: ${service.ports.map((each) => `${each.port} (targetPort ${each.targetPort})`).join(', ')}`];
    return [observation('service/other-port', evidence, { targetPort, listening, servicePort: String(right.port) })];
  }
  const evidence = [`targetPort of the Service: ${targetPort}`, `--secure-port of the extension API server: ${listening}`];
  return [{ ...observation('service/wrong-target-port', evidence, { targetPort, listening, index: String(index) }), about }];
}

/** Whether another container of the pod may listen on the port, as far as files tell. */
const mayBeProxied = ({ snapshot }: CheckContext): boolean => snapshot.related?.workload?.containers !== 1;

/** The problems of a pod whose server does not run. */
const stops: readonly PodProblem['kind'][] = ['crashing', 'image', 'cannot-start', 'unschedulable', 'node'];

/** Whether no pod of the Service runs a server. */
function stopped({ snapshot, now }: CheckContext): boolean {
  const kinds = (seen(snapshot.pods) ?? []).map((pod) => problemOf(pod, now)?.kind);
  return kinds.length > 0 && kinds.every((kind) => kind !== undefined && stops.includes(kind));
}

/**
 * Whether kube-apiserver supports the type of the Service. It depends on
 * --enable-aggregator-routing, which only its messages show.
 */
function checkType(context: CheckContext, service: ServiceView | undefined): readonly Observation[] {
  const headless = findMessage(context, 'headless');
  if (headless) return [observation('service/headless', [quote(headless)])];
  const unsupported = findMessage(context, 'unsupported-type');
  if (unsupported) return [observation('service/external-name-unsupported', [quote(unsupported)])];
  const unresolved = findMessage(context, 'no-such-host');
  if (!unresolved || service?.type !== 'ExternalName') return [];
  return [observation('service/external-name-unresolved', [quote(unresolved)], { externalName: service.externalName ?? '' })];
}
