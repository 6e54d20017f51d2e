import { ApiFailure, notFound } from '../shared/failure.ts';
import { endpointSlicesOf, isReady, serviceKind } from './lookup.ts';
import type { Obj, Store } from './types.ts';

/** The address of a server. */
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
 * Picks a ready endpoint of a Service at random, as kube-apiserver does with
 * --enable-aggregator-routing (k8s.io/apiserver/pkg/util/proxy/proxy.go, ResolveEndpoint).
 * @throws Error without one
 */
export function resolveEndpoint(store: Store, { namespace, name, port }: ServicePort): Route {
  const service = store.get(serviceKind, namespace, name);
  if (!service) throw notFound({ group: '', kind: 'Service', plural: 'service' }, name);
  const { type = 'ClusterIP', ports = [] } = service.spec;
  if (!['ClusterIP', 'LoadBalancer', 'NodePort'].includes(type)) throw new Error(`unsupported service type "${type}"`);
  const servicePort = ports.find((each: Obj) => each.port === port);
  if (!servicePort) throw unavailable(`no service port ${port} found for service "${name}"`);
  const routes = endpointSlicesOf(store, namespace, name).flatMap((slice): Route[] => {
    const found = slice.ports?.find((each: Obj) => (each.name ?? '') === (servicePort.name ?? ''))?.port;
    const ready: Obj[] = found === undefined ? [] : (slice.endpoints ?? []).filter(isReady);
    return ready.map(({ addresses }) => ({ host: addresses[0], port: found }));
  });
  const route = routes[Math.floor(Math.random() * routes.length)];
  if (!route) throw unavailable(`no endpoints available for service "${name}"`);
  return route;
}
