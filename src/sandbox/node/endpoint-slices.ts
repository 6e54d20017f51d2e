import { isDeepStrictEqual } from 'node:util';
import { resources } from '../../cluster/resources.ts';
import { hashOf, nodeName } from './api.ts';
import { type NodeContext, runController } from './controller.ts';
import type { Json } from './registry.ts';
import { localPort } from './registry.ts';
import { isLive, isReady, ownerReference } from './rollout-plan.ts';

const { Service, Pod, EndpointSlice } = resources;

/** The controller of a slice (k8s.io/api/discovery/v1/well_known_labels.go). */
const managedBy = 'endpointslice.kubernetes.io/managed-by';
const serviceName = 'kubernetes.io/service-name';

/** Runs the EndpointSlice controller until the signal aborts. */
export const runEndpointSliceController = (node: NodeContext): Promise<void> => {
  const own = { resource: EndpointSlice, labelSelector: `${managedBy}=${nodeName}` };
  return runController(node, [{ resource: Service }, { resource: Pod }, own], async () => {
    const { api } = node;
    const [services, pods, slices] = await Promise.all([api.list({ resource: Service }), api.list({ resource: Pod }), api.list(own)]);
    const portOf = ({ metadata }: Json, port: number): number => {
      const pod = node.pods.get(metadata.uid);
      return pod ? localPort(pod, port) : port;
    };
    const wanted = services.flatMap((service) => slicesFor(service, pods, portOf));
    const keyOf = ({ metadata: { namespace, name } }: Json): string => `${namespace}/${name}`;
    const keys = new Set(wanted.map(keyOf));
    const existing = new Map(slices.map((slice) => [keyOf(slice), slice]));
    await Promise.all([
      ...slices.filter((slice) => !keys.has(keyOf(slice))).map((slice) => api.remove(slice)),
      ...wanted.map(async (slice) => {
        const before = existing.get(keyOf(slice));
        if (!before) return api.create(slice);
        const { endpoints, ports } = slice;
        if (!isDeepStrictEqual([before.endpoints ?? [], before.ports ?? []], [endpoints, ports]))
          await api.patch(before, { endpoints, ports });
      }),
    ]);
    return undefined;
  });
};

/**
 * The EndpointSlices of a Service (k8s.io/kubernetes/pkg/controller/endpointslice). All endpoints
 * of a slice have the same ports, so pods with different ports need a slice each. Pure.
 * @param portOf the port of this host for a port of a pod
 * @returns none for a Service without selector: another controller manages its slices
 */
export function slicesFor(service: Json, pods: readonly Json[], portOf: (pod: Json, port: number) => number): Json[] {
  const { metadata, spec } = service;
  if (!spec.selector || spec.type === 'ExternalName') return [];
  const chosen = pods.filter((pod) => pod.metadata.namespace === metadata.namespace && matches(spec.selector, pod) && hasEndpoint(pod));
  const groups = new Map<string, { readonly ports: Json[]; readonly endpoints: Json[] }>();
  for (const pod of chosen) {
    const ports = portsOf(service, pod, portOf);
    const key = hashOf(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    group.endpoints.push(endpointOf(pod));
    groups.set(key, group);
  }
  return [...groups].map(([key, group]) => sliceOf(service, `${metadata.name}-${key}`, group));
}

const matches = (selector: Json, { metadata: { labels = {} } }: Json): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

const hasEndpoint = (pod: Json): boolean =>
  pod.status?.podIP !== undefined && (isLive(pod) || pod.metadata.deletionTimestamp !== undefined);

/**
 * A named targetPort is looked up in the pod, and omitted if missing (pkg/api/v1/pod, FindPort).
 */
function portsOf({ spec }: Json, pod: Json, portOf: (pod: Json, port: number) => number): Json[] {
  const declared: Json[] = pod.spec.containers.flatMap(({ ports = [] }: Json) => ports);
  return (spec.ports ?? []).flatMap(({ name = '', port, targetPort = port, protocol = 'TCP' }: Json) => {
    const number = typeof targetPort === 'number' ? targetPort : declared.find((each) => each.name === targetPort)?.containerPort;
    if (number === undefined) return [];
    return [{ name, port: portOf(pod, number), protocol }];
  });
}

/** k8s.io/endpointslice/utils.go, podToEndpoint. */
function endpointOf(pod: Json): Json {
  const { namespace, name, uid, deletionTimestamp } = pod.metadata;
  const serving = isReady(pod);
  const terminating = deletionTimestamp !== undefined;
  return {
    addresses: [pod.status.podIP],
    conditions: { ready: serving && !terminating, serving, terminating },
    nodeName: pod.spec.nodeName,
    targetRef: { kind: 'Pod', name, namespace, uid },
  };
}

const sliceOf = (service: Json, name: string, { ports, endpoints }: { readonly ports: Json[]; readonly endpoints: Json[] }): Json => ({
  apiVersion: EndpointSlice.apiVersion,
  kind: EndpointSlice.kind,
  metadata: {
    name,
    namespace: service.metadata.namespace,
    labels: { ...service.metadata.labels, [serviceName]: service.metadata.name, [managedBy]: nodeName },
    ownerReferences: [ownerReference(service)],
  },
  addressType: endpoints[0]?.addresses[0]?.includes(':') ? 'IPv6' : 'IPv4',
  endpoints,
  ports,
});
