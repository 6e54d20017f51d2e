import type { KubeObject } from '../manifests/types.ts';
import type { ApiServiceView, EndpointView, ServiceView } from './types.ts';

/**
 * From Kubernetes objects to the parts that checks read. Objects of a cluster are complete; those of a file may lack what a server fills in, so
 * every default of the API is repeated here.
 */

// biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object; every field read below is checked or defaulted.
type Json = any;

/** @param object an APIService of apiregistration.k8s.io/v1 */
export function viewApiService({ metadata, spec, status }: KubeObject & Json): ApiServiceView {
  const condition = status?.conditions?.find(({ type }: Json) => type === 'Available');
  return {
    name: metadata.name,
    group: spec?.group ?? '',
    version: spec?.version ?? '',
    service: spec?.service
      ? { namespace: String(spec.service.namespace), name: String(spec.service.name), port: Number(spec.service.port ?? 443) }
      : undefined,
    caBundle: spec?.caBundle ?? '',
    insecureSkipTLSVerify: spec?.insecureSkipTLSVerify === true,
    labels: metadata.labels ?? {},
    available: condition && {
      status: condition.status,
      reason: condition.reason ?? '',
      message: condition.message ?? '',
      lastTransitionTime: condition.lastTransitionTime ?? '',
    },
  };
}

/** @param object a Service */
export function viewService({ spec = {} }: KubeObject & Json): ServiceView {
  return {
    type: spec.type ?? 'ClusterIP',
    clusterIP: spec.clusterIP ?? '',
    externalName: spec.externalName,
    selector: spec.selector ?? {},
    ports: (spec.ports ?? []).map(({ name, port, targetPort }: Json) => ({
      name: name ?? '',
      port: Number(port),
      targetPort: String(targetPort ?? port),
    })),
  };
}

/** @param slice an EndpointSlice; `ready` unset means ready (k8s.io/api/discovery/v1/types.go, EndpointConditions) */
export function viewEndpoints({ metadata, endpoints, ports }: KubeObject & Json): EndpointView[] {
  return (endpoints ?? []).flatMap(({ addresses, conditions, targetRef }: Json) =>
    (addresses ?? []).map((address: string) => ({
      slice: metadata.name,
      address,
      ready: conditions?.ready !== false,
      pod: targetRef?.kind === 'Pod' ? targetRef.name : undefined,
      ports: (ports ?? []).map(({ name, port }: Json) => ({ name: name ?? '', port: Number(port) })),
    })),
  );
}
