import type { Obj } from './types.ts';

/**
 * How a field merges (KEP-555). Without a shape a map merges key by key, and a list or scalar is
 * replaced.
 */
export interface Shape {
  /** Has one owner as a whole. */
  readonly atomic?: true;
  /** A list of scalars that merges as a set. */
  readonly set?: true;
  /** A list of maps with these keys. */
  readonly keys?: readonly string[];
  /** Of the elements of such a list. */
  readonly item?: Shape;
  readonly fields?: Readonly<Record<string, Shape>>;
  /** Exists even if empty: a Go struct that is not a pointer, or a list without omitempty. */
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
  volumeMounts: list('mountPath'),
});

const podSpec: Record<string, Shape> = {
  affinity: map({ nodeAffinity: map({ requiredDuringSchedulingIgnoredDuringExecution: atomic }) }),
  containers: { ...list('name', container), embedded: true },
  hostAliases: list('ip'),
  imagePullSecrets: list('name', atomic),
  initContainers: list('name', container),
  nodeSelector: atomic,
  topologySpreadConstraints: list('topologyKey whenUnsatisfiable', map({ labelSelector: atomic })),
  volumes: list('name'),
};

const spec = struct({
  ...podSpec,
  podSelector: { atomic: true, embedded: true },
  ports: list('port protocol'),
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
 * The shape of every stored kind in one: no two kinds disagree about a path. From
 * x-kubernetes-list-type, x-kubernetes-map-type and defaults in kube-apiserver's OpenAPI.
 */
export const objectShape: Shape = map({
  involvedObject: atomic,
  metadata: objectMeta,
  roleRef: { atomic: true, embedded: true },
  secrets: list('name', atomic),
  spec,
  status,
});

const keyDefaults: Readonly<Record<string, string | number>> = { containerPort: 0, port: 0, protocol: 'TCP' };

const keyOf = (keys: readonly string[], item: Obj): Obj =>
  Object.fromEntries([...keys].sort().map((key) => [key, item?.[key] ?? keyDefaults[key] ?? '']));

/** A part of an object with its path element: `f:` a field, `k:` and `v:` an element of a list. */
export interface Place {
  readonly element: string;
  readonly shape: Shape;
  readonly value: Obj;
}

const isMap = (value: Obj): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @returns whether no part of the value can have an owner of its own */
export function isLeaf(shape: Shape, value: Obj): boolean {
  if (shape.atomic) return true;
  return Array.isArray(value) ? !shape.keys && !shape.set : !isMap(value);
}

/** @returns the parts of a map or list that is not a leaf, in its order */
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
