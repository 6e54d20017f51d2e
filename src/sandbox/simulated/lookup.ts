import { kindAt } from './kinds.ts';
import type { Kind, Obj, Store } from './types.ts';

function known(group: string, version: string, plural: string): Kind {
  const kind = kindAt(group, version, plural);
  if (!kind) throw new Error(`the simulation keeps no ${plural}.${group}`);
  return kind;
}

export const apiServiceKind = known('apiregistration.k8s.io', 'v1', 'apiservices');
export const serviceKind = known('', 'v1', 'services');
export const endpointSliceKind = known('discovery.k8s.io', 'v1', 'endpointslices');
export const podKind = known('', 'v1', 'pods');

export const apiServicesIn = (store: Store): readonly Obj[] => store.list(apiServiceKind);

/**
 * The label by which an EndpointSlice names its Service (k8s.io/api/discovery/v1,
 * LabelServiceName).
 */
export const serviceOfSlice = (slice: Obj): string | undefined => slice.metadata.labels?.['kubernetes.io/service-name'];

export const endpointSlicesOf = (store: Store, namespace: string, service: string): readonly Obj[] =>
  store.list(endpointSliceKind, namespace).filter((slice) => serviceOfSlice(slice) === service);

/**
 * An endpoint that says nothing of its readiness counts as ready (k8s.io/api/discovery/v1,
 * EndpointConditions).
 */
export const isReady = (endpoint: Obj): boolean => endpoint.conditions?.ready ?? true;
