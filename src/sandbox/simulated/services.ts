import { required, type Wrong, wrong } from './faults.ts';
import type { Kind, Obj, Store } from './types.ts';

/**
 * The defaults of a Service that belong to whoever writes it
 * (k8s.io/kubernetes/pkg/apis/core/v1/defaults.go, SetDefaults_Service).
 */
export function withServiceDefaults({ spec = {}, ...rest }: Obj): Obj {
  const { type = 'ClusterIP', sessionAffinity = 'None', ports } = spec;
  return {
    ...rest,
    spec: {
      ...spec,
      ...(ports
        ? { ports: ports.map((port: Obj) => ({ ...port, protocol: port.protocol ?? 'TCP', targetPort: port.targetPort ?? port.port })) }
        : {}),
      type,
      sessionAffinity,
      ...(type === 'ExternalName' ? {} : { internalTrafficPolicy: spec.internalTrafficPolicy ?? 'Cluster' }),
    },
  };
}

const range = '10.96';

/**
 * Gives a Service its address, or keeps the one that it has
 * (k8s.io/kubernetes/pkg/registry/core/service/storage/alloc.go).
 */
export function withAddress(store: Store, kind: Kind, { spec, ...rest }: Obj, old: Obj | undefined): Obj {
  if (spec.type === 'ExternalName') return { ...rest, spec };
  const had = old?.spec.type === 'ExternalName' ? undefined : old?.spec;
  const clusterIP = spec.clusterIP ?? spec.clusterIPs?.[0] ?? had?.clusterIP ?? freeAddress(store, kind);
  const families =
    clusterIP === 'None' && !spec.selector
      ? { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' }
      : { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' };
  return { ...rest, spec: { ...families, ...spec, clusterIP, clusterIPs: [clusterIP] } };
}

/** The first ones of the range are left to those who ask for one (KEP-3070). */
function freeAddress(store: Store, kind: Kind): string {
  const taken = new Set(store.list(kind).map(({ spec }) => spec.clusterIP));
  for (let host = 256; host < 65_535; host++) {
    const address = `${range}.${host >> 8}.${host & 255}`;
    if (!taken.has(address)) return address;
  }
  throw new Error('every address of the range for Services is taken');
}

const portNumber = (value: unknown): boolean => Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536;
const outOfRange = 'must be between 1 and 65535, inclusive';

/**
 * What is wrong with a Service (k8s.io/kubernetes/pkg/apis/core/validation/validation.go,
 * ValidateService).
 */
export function serviceFaults({ spec }: Obj, old: Obj | undefined): Wrong[] {
  const { ports = [], clusterIP, type } = spec;
  const found: Wrong[] = [];
  if (ports.length === 0 && clusterIP !== 'None' && type !== 'ExternalName') found.push(required('spec.ports'));
  ports.forEach(({ name, port, targetPort }: Obj, index: number) => {
    const path = `spec.ports[${index}]`;
    if (!name && ports.length > 1) found.push(required(`${path}.name`));
    if (!portNumber(port)) found.push(wrong(`${path}.port`, port, outOfRange));
    if (typeof targetPort === 'number' && !portNumber(targetPort)) found.push(wrong(`${path}.targetPort`, targetPort, outOfRange));
  });
  if (old?.spec.clusterIP && type !== 'ExternalName' && clusterIP !== old.spec.clusterIP) {
    found.push(wrong('spec.clusterIPs[0]', [clusterIP], 'may not change once set'));
  }
  return found;
}
