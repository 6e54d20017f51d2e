import { coreKind, kindOf } from './kinds.ts';
import type { Obj, Store } from './types.ts';

export const apiServiceKind = kindOf('apiregistration.k8s.io', 'APIService');
export const serviceKind = coreKind('Service');
export const endpointSliceKind = kindOf('discovery.k8s.io', 'EndpointSlice');
export const podKind = coreKind('Pod');

export const apiServicesIn = (store: Store): readonly Obj[] => store.list(apiServiceKind);

/** The Service of an EndpointSlice (k8s.io/api/discovery/v1, LabelServiceName). */
export const serviceOfSlice = (slice: Obj): string | undefined => slice.metadata.labels?.['kubernetes.io/service-name'];

export const endpointSlicesOf = (store: Store, namespace: string, service: string): readonly Obj[] =>
  store.list(endpointSliceKind, namespace).filter((slice) => serviceOfSlice(slice) === service);

/**
 * An endpoint without a condition counts as ready (k8s.io/api/discovery/v1, EndpointConditions).
 */
export const isReady = (endpoint: Obj): boolean => endpoint.conditions?.ready ?? true;
