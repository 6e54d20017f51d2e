import { ApiFailure, notFound } from '../shared/failure.ts';
import { endpointSlicesOf, isReady, serviceKind } from './lookup.ts';
import type { Obj, Store } from './types.ts';

/** Where a server is reached. */
export interface Route {
  readonly host: string;
  readonly port: number;
}

export interface ServicePort {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

const unavailable = (message: string): ApiFailure => new ApiFailure(503, 'ServiceUnavailable', message);

/**
 * Picks an endpoint of a Service, as kube-apiserver does with --enable-aggregator-routing
 * (k8s.io/apiserver/pkg/util/proxy/proxy.go, ResolveEndpoint).
 * @throws Error in its words when there is none
 */
export function resolveEndpoint(store: Store, { namespace, name, port }: ServicePort): Route {
  const service = store.get(serviceKind, namespace, name);
  // The kind is what the lister of client-go calls it, a singular.
  if (!service) throw notFound({ group: '', kind: 'Service', plural: 'service' }, name);
  const { type = 'ClusterIP' } = service.spec;
  if (!['ClusterIP', 'LoadBalancer', 'NodePort'].includes(type)) throw new Error(`unsupported service type "${type}"`);
  return randomEndpoint(endpointSlicesOf(store, namespace, name), name, portNamed(service, port));
}

/**
 * The name of a Service's port, empty when it has none.
 * @throws ApiFailure 503 when there is no such port
 */
export function portNamed(service: Obj, port: number): string {
  const found = service.spec.ports?.find((each: Obj) => each.port === port);
  if (!found) throw unavailable(`no service port ${port} found for service "${service.metadata.name}"`);
  return found.name ?? '';
}

/**
 * @param allowed - which endpoints may be taken
 * @throws ApiFailure 503 when none is ready that has the port
 */
export function randomEndpoint(
  slices: readonly Obj[],
  service: string,
  portName: string,
  allowed: (endpoint: Obj) => boolean = () => true,
): Route {
  const routes = slices.flatMap(({ endpoints, ports }): Route[] => {
    const port = ports?.find((each: Obj) => each.port !== undefined && (each.name ?? '') === portName)?.port;
    if (port === undefined) return [];
    const ready: Obj[] = (endpoints ?? []).filter((endpoint: Obj) => isReady(endpoint) && allowed(endpoint));
    return ready.map(({ addresses }) => ({ host: addresses[0], port }));
  });
  const route = routes[Math.floor(Math.random() * routes.length)];
  if (!route) throw unavailable(`no endpoints available for service "${service}"`);
  return route;
}
