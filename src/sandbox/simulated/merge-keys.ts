import type { Obj } from './types.ts';

/**
 * How one place of an object merges (KEP-555). A place without a shape merges by its value: maps
 * key by key, lists and scalars as a whole.
 */
export interface Shape {
  /** Belongs to one manager as a whole. */
  readonly atomic?: true;
  /** A list of scalars, each of which stands for itself. */
  readonly set?: true;
  /** A list of maps, which these fields tell apart. */
  readonly keys?: readonly string[];
  /** Of the elements of such a list. */
  readonly item?: Shape;
  readonly fields?: Readonly<Record<string, Shape>>;
  /**
   * A Go struct without a pointer, or a list that is not omitted: kube-apiserver sees it, if empty,
   * in everything that can have it.
   */
  readonly embedded?: true;
}

const plain: Shape = {};
const atomic: Shape = { atomic: true };
const set: Shape = { set: true };
const embedded: Shape = { embedded: true };
const map = (fields: Record<string, Shape>): Shape => ({ fields });
const struct = (fields: Record<string, Shape>): Shape => ({ fields, embedded: true });
const list = (keys: string, item = plain): Shape => ({ keys: keys.split(' '), item });

const objectMeta = struct({ finalizers: set, ownerReferences: list('uid', atomic) });

const keyReferences = { configMapKeyRef: atomic, fieldRef: atomic, fileKeyRef: atomic, resourceFieldRef: atomic, secretKeyRef: atomic };

const container = map({
  env: list('name', map({ valueFrom: map(keyReferences) })),
  ports: list('containerPort protocol'),
  resources: struct({ claims: list('name') }),
  volumeDevices: list('devicePath'),
  volumeMounts: list('mountPath'),
});

const podSpec: Record<string, Shape> = {
  affinity: map({ nodeAffinity: map({ requiredDuringSchedulingIgnoredDuringExecution: atomic }) }),
  containers: { ...list('name', container), embedded: true },
  ephemeralContainers: list('name', container),
  hostAliases: list('ip'),
  imagePullSecrets: list('name', atomic),
  initContainers: list('name', container),
  nodeSelector: atomic,
  resourceClaims: list('name'),
  schedulingGates: list('name'),
  topologySpreadConstraints: list('topologyKey whenUnsatisfiable', map({ labelSelector: atomic })),
  volumes: list('name', map({ csi: map({ nodePublishSecretRef: atomic }) })),
};

const spec = struct({
  ...podSpec,
  podCIDRs: set,
  podSelector: { atomic: true, embedded: true },
  ports: list('port protocol'),
  scaleTargetRef: embedded,
  selector: atomic,
  strategy: embedded,
  template: struct({ metadata: objectMeta, spec: struct(podSpec) }),
});

const status = struct({
  addresses: list('type'),
  conditions: list('type'),
  daemonEndpoints: struct({ kubeletEndpoint: embedded }),
  loadBalancer: embedded,
  nodeInfo: embedded,
  podIPs: list('ip'),
});

/**
 * Of every kind that the simulation keeps, in one: no two of them disagree about a field of one
 * path. From the x-kubernetes-list-type, x-kubernetes-map-type and default of kube-apiserver's
 * OpenAPI, without volumes of storage that Kubernetes gave up.
 */
export const objectShape: Shape = map({
  deprecatedSource: embedded,
  involvedObject: { atomic: true, embedded: true },
  metadata: objectMeta,
  regarding: { atomic: true, embedded: true },
  related: atomic,
  roleRef: { atomic: true, embedded: true },
  secrets: list('name', atomic),
  source: embedded,
  spec,
  status,
});

const keyDefaults: Readonly<Record<string, string | number>> = { containerPort: 0, port: 0, protocol: 'TCP' };

const keyOf = (keys: readonly string[], item: Obj): Obj =>
  Object.fromEntries([...keys].sort().map((key) => [key, item?.[key] ?? keyDefaults[key] ?? '']));

/**
 * Something that an object holds, by its path element: `f:` a field, `k:` an element of a list by
 * its keys, `v:` one of a set.
 */
export interface Place {
  readonly element: string;
  readonly shape: Shape;
  readonly value: Obj;
}

const isMap = (value: Obj): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * @returns whether it has an owner as a whole and nothing in it has one of its own: scalars, null,
 * what is atomic.
 */
export function isLeaf(shape: Shape, value: Obj): boolean {
  if (shape.atomic) return true;
  return Array.isArray(value) ? !shape.keys && !shape.set : !isMap(value);
}

/**
 * @returns what a map or list that is no leaf holds, in its order; elements of a list that share
 * their keys are there as often
 */
export function placesIn(shape: Shape, value: Obj): Place[] {
  const { keys, item = plain, fields } = shape;
  if (!Array.isArray(value))
    return Object.entries(value).map(([key, held]) => ({ element: `f:${key}`, shape: fields?.[key] ?? plain, value: held }));
  return value.map((held) => ({
    element: keys ? `k:${JSON.stringify(keyOf(keys, held))}` : `v:${JSON.stringify(held)}`,
    shape: item,
    value: held,
  }));
}
