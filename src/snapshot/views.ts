import { rivalsOf } from '../cluster/field-owners.ts';
import type { KubeObject } from '../manifests/types.ts';
import { withoutKeys } from '../pki/without-keys.ts';
import type { ApiServiceView, DeletionView, EndpointView, NamespaceView, ServiceView } from './types.ts';

/**
 * Reads the parts of Kubernetes objects that checks need. Objects from files lack the defaults that
 * kube-apiserver fills in, so these are repeated here, and any field may hold any value.
 */

/** A part of a Kubernetes object. Its readers check every field, or set a default. */
// biome-ignore lint/suspicious/noExplicitAny: manifests may hold any value in any place.
export type Json = any;

/** A string unchanged; any other value as JSON. */
export const textOf = (value: Json): string => (typeof value === 'string' ? value : value == null ? '' : JSON.stringify(value));

/** The objects in a list. Empty for anything but a list. */
export const listOf = (value: Json): Json[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : [];

/** A map of strings, such as labels and selectors. */
export const textsOf = (value: Json): Record<string, string> =>
  Object.fromEntries(Object.entries(value ?? {}).map(([key, each]) => [key, textOf(each)]));

/** @param object an APIService of apiregistration.k8s.io/v1 */
export function viewApiService(object: KubeObject & Json): ApiServiceView {
  const { metadata, spec, status } = object;
  const rivals = rivalsOf(object, ['spec', 'caBundle']);
  const condition = listOf(status?.conditions).find(({ type }) => type === 'Available');
  const service = spec?.service;
  return {
    name: metadata.name,
    group: textOf(spec?.group),
    version: textOf(spec?.version),
    service: service
      ? { namespace: textOf(service.namespace), name: textOf(service.name), port: Number(textOf(service.port ?? 443)) }
      : undefined,
    caBundle: textOf(spec?.caBundle),
    insecureSkipTLSVerify: spec?.insecureSkipTLSVerify === true,
    groupPriorityMinimum: Number(textOf(spec?.groupPriorityMinimum ?? 0)),
    versionPriority: Number(textOf(spec?.versionPriority ?? 0)),
    labels: textsOf(metadata.labels),
    annotations: shortOnes(textsOf(metadata.annotations)),
    ...(rivals.length > 0 ? { bundleManagers: rivals.map(({ manager, operation, time }) => ({ manager, operation, time })) } : {}),
    ...deletionOf(metadata),
    available: condition && {
      status: condition.status,
      reason: textOf(condition.reason),
      message: textOf(condition.message),
      lastTransitionTime: textOf(condition.lastTransitionTime),
    },
  };
}

const deletionOf = ({ deletionTimestamp, finalizers }: Json): { readonly deleting?: DeletionView } =>
  deletionTimestamp ? { deleting: { since: textOf(deletionTimestamp), finalizers: (finalizers ?? []).map(textOf) } } : {};

/**
 * @param object a Namespace. Its own finalizer is in spec, where the controller removes it last.
 */
export const viewNamespace = ({ metadata, status }: KubeObject & Json): NamespaceView => ({
  name: metadata.name,
  ...deletionOf(metadata),
  conditions: listOf(status?.conditions).flatMap((each) => (each.status === 'True' ? [textOf(each.message)] : [])),
});

/** Removes a private key from the caBundle: snapshots end up in bug reports. */
export function withoutPrivateKeys(api: ApiServiceView): ApiServiceView {
  const bundle = Buffer.from(api.caBundle, 'base64');
  const kept = withoutKeys(bundle);
  return kept.equals(bundle) ? api : { ...api, caBundle: kept.toString('base64') };
}

/**
 * Without long annotations, such as the copy of the object that `kubectl apply` keeps, caBundle
 * included.
 */
const shortOnes = (annotations: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).filter(([, value]) => value.length <= 253));

/** @param object a Service */
export function viewService({ metadata, spec }: KubeObject & Json): ServiceView {
  return {
    ...deletionOf(metadata),
    type: textOf(spec?.type ?? 'ClusterIP'),
    clusterIP: textOf(spec?.clusterIP),
    externalName: spec?.externalName && textOf(spec.externalName),
    selector: textsOf(spec?.selector),
    ports: listOf(spec?.ports).map(({ name, port, targetPort, protocol = 'TCP' }) => ({
      name: textOf(name),
      port: Number(textOf(port)),
      targetPort: textOf(targetPort ?? port),
      ...(protocol === 'TCP' ? {} : { protocol: textOf(protocol) }),
    })),
  };
}

/**
 * @param slice an EndpointSlice; `ready` unset means ready (k8s.io/api/discovery/v1/types.go,
 * EndpointConditions)
 */
export function viewEndpoints({ metadata, endpoints, ports }: KubeObject & Json): EndpointView[] {
  return listOf(endpoints).flatMap(({ addresses, conditions, targetRef }) =>
    (addresses ?? []).map((address: string) => ({
      slice: metadata.name,
      address,
      ready: conditions?.ready !== false,
      pod: targetRef?.kind === 'Pod' ? targetRef.name : undefined,
      ports: listOf(ports).map(({ name, port }) => ({ name: textOf(name), port: Number(textOf(port)) })),
    })),
  );
}
