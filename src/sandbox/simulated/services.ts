import { type Fault, required, wrong } from './faults.ts';
import type { Kind, Obj, Store } from './types.ts';

/** k8s.io/kubernetes/pkg/apis/core/v1/defaults.go, SetDefaults_Service. */
export function withServiceDefaults({ spec = {}, ...rest }: Obj): Obj {
  const { type = 'ClusterIP', sessionAffinity = 'None', ports } = spec;
  const complete = (port: Obj): Obj => ({ ...port, protocol: port.protocol ?? 'TCP', targetPort: port.targetPort ?? port.port });
  return {
    ...rest,
    spec: {
      ...spec,
      ...(ports ? { ports: ports.map(complete) } : {}),
      type,
      sessionAffinity,
      ...(type === 'ExternalName' ? {} : { internalTrafficPolicy: spec.internalTrafficPolicy ?? 'Cluster' }),
    },
  };
}

/**
 * Allocates the cluster IP, or keeps it
 * (k8s.io/kubernetes/pkg/registry/core/service/storage/alloc.go).
 */
export function withAddress(store: Store, kind: Kind, { spec, ...rest }: Obj, old: Obj | undefined): Obj {
  if (spec.type === 'ExternalName') return { ...rest, spec };
  const kept = old?.spec.type === 'ExternalName' ? undefined : old?.spec.clusterIP;
  const clusterIP = spec.clusterIP ?? kept ?? freeAddress(store, kind);
  return { ...rest, spec: { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack', ...spec, clusterIP, clusterIPs: [clusterIP] } };
}

/** The first addresses of the range are kept for Services that ask for one (KEP-3070). */
function freeAddress(store: Store, kind: Kind): string {
  const taken = new Set(store.list(kind).map(({ spec }) => spec.clusterIP));
  for (let host = 256; host < 65_535; host++) {
    const address = `10.96.${host >> 8}.${host & 255}`;
    if (!taken.has(address)) return address;
  }
  throw new Error('every address of the range for Services is taken');
}

/** k8s.io/kubernetes/pkg/apis/core/validation/validation.go, ValidateService. */
export function serviceFaults({ spec: { ports = [], clusterIP, type } }: Obj): Fault[] {
  if (ports.length === 0 && clusterIP !== 'None' && type !== 'ExternalName') return [required('spec.ports')];
  const isPort = (port: unknown): boolean => Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536;
  return ports.flatMap(({ port, name }: Obj, index: number) => [
    ...(name || ports.length < 2 ? [] : [required(`spec.ports[${index}].name`)]),
    ...(isPort(port) ? [] : [wrong(`spec.ports[${index}].port`, port, 'must be between 1 and 65535, inclusive')]),
  ]);
}
