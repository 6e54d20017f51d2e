import type { KubeObject } from '../../manifests/types.ts';
import { type Json, textsOf } from '../views.ts';
import type { Place, ReadObject } from './read.ts';
import type { ValuePath } from './values.ts';

/** The API group of each kind that is looked at. The core group is empty. */
const groups = {
  APIService: 'apiregistration.k8s.io',
  Certificate: 'cert-manager.io',
  ClusterRole: 'rbac.authorization.k8s.io',
  ClusterRoleBinding: 'rbac.authorization.k8s.io',
  DaemonSet: 'apps',
  Deployment: 'apps',
  Pod: '',
  PodTemplate: '',
  ReplicaSet: 'apps',
  ReplicationController: '',
  Role: 'rbac.authorization.k8s.io',
  RoleBinding: 'rbac.authorization.k8s.io',
  Secret: '',
  Service: '',
  ServiceAccount: '',
  StatefulSet: 'apps',
} as const;

export type Kind = keyof typeof groups;

/** kube-apiserver ignores a namespace of these (k8s.io/apiserver/pkg/registry/rest/create.go). */
const withoutNamespace: readonly string[] = ['APIService', 'ClusterRole', 'ClusterRoleBinding'] satisfies Kind[];

const namespaceOf = ({ kind, metadata }: KubeObject): string => (withoutNamespace.includes(kind) ? '' : (metadata.namespace ?? ''));

/** The kinds that create pods. */
export const workloadKinds: readonly Kind[] = [
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
  'PodTemplate',
  'Pod',
];

/** The API group of an object: `apps` of `apps/v1`, empty for `v1`. */
export const groupOf = ({ apiVersion }: Pick<KubeObject, 'apiVersion'>): string => /^(.*)\//.exec(apiVersion)?.[1] ?? '';

/** Whether an object is of this kind, in the group of Kubernetes. */
export const isKind = (object: KubeObject, kind: Kind): boolean => object.kind === kind && groupOf(object) === groups[kind];

/** The pod that a workload creates: labels in `metadata`, containers in `spec`. */
export const podOf = (workload: KubeObject & Json): Json => {
  if (workload.kind === 'Pod') return workload;
  return (workload.kind === 'PodTemplate' ? workload.template : workload.spec?.template) ?? {};
};

/** The objects of manifests, found by name or label without looking at all of them. */
export interface OfflineObjects {
  /** All objects of a kind. */
  all(kind: Kind): readonly KubeObject[];
  /** The objects of a kind that may be in a namespace. */
  inNamespace(kind: Kind, namespace: string): readonly KubeObject[];
  /**
   * The object of this name. Without a namespace in its manifest it may be in any namespace:
   * `kubectl apply -n` sets it.
   */
  find(kind: Kind, namespace: string, name: string): KubeObject | undefined;
  /** The workloads whose pods have all the labels. None for an empty selector. */
  workloads(namespace: string, selector: Readonly<Record<string, string>>): readonly KubeObject[];
  /** The place of a field. `namespace` is empty for objects without one. */
  place(about: ObjectField): Place | undefined;
  /** The objects that a later object of the same name replaces, in the order of the files. */
  readonly replaced: readonly Replaced[];
}

export interface Replaced {
  readonly object: ReadObject;
  readonly by: ReadObject;
}

/** A field of an object. In files, the place of the object if it lacks the field. */
export interface ObjectField {
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly path: ValuePath;
}

/** Indexes objects. Of several with the same name the last one wins, as with `kubectl apply`. */
export function indexObjects(read: readonly ReadObject[]): OfflineObjects {
  const known = read.filter(isKnown);
  const last = new Map(known.map((each) => [keyOf(each.object), each]));
  const byName = new Map<string, ReadObject>();
  const byKind = new Map<string, KubeObject[]>();
  const byNamespace = new Map<string, KubeObject[]>();
  const byLabel = new Map<string, KubeObject[]>();
  for (const each of last.values()) {
    const { object } = each;
    const kind = object.kind as Kind;
    const namespace = namespaceOf(object);
    byName.set(`${kind} ${namespace} ${object.metadata.name}`, each);
    add(byKind, kind, object);
    add(byNamespace, `${kind} ${namespace}`, object);
    if (!workloadKinds.includes(kind)) continue;
    for (const [key, value] of Object.entries(textsOf(podOf(object).metadata?.labels)))
      add(byLabel, `${namespace} ${key}=${value}`, object);
  }
  const named = (kind: string, namespace: string, name: string) =>
    byName.get(`${kind} ${namespace} ${name}`) ?? byName.get(`${kind}  ${name}`);
  return {
    all: (kind) => byKind.get(kind) ?? [],
    inNamespace: (kind, namespace) => [...(byNamespace.get(`${kind} ${namespace}`) ?? []), ...(byNamespace.get(`${kind} `) ?? [])],
    find: (kind, namespace, name) => named(kind, namespace, name)?.object,
    workloads: (namespace, selector) => selected(byLabel, namespace, Object.entries(selector)),
    place: ({ kind, namespace = '', name, path }) => named(kind, namespace, name)?.placeOf(path),
    replaced: known.flatMap((object) => {
      const by = last.get(keyOf(object.object));
      return by && by !== object ? [{ object, by }] : [];
    }),
  };
}

const keyOf = (object: KubeObject): string => [groupOf(object), object.kind, namespaceOf(object), object.metadata.name].join(' ');

/** Whether an object is of a kind that is looked at. */
export const isKnown = ({ object }: ReadObject): boolean => groups[object.kind as Kind] === groupOf(object);

function add(index: Map<string, KubeObject[]>, key: string, object: KubeObject): void {
  const same = index.get(key);
  if (same) same.push(object);
  else index.set(key, [object]);
}

/** Starts with the label that the fewest workloads have. */
function selected(
  byLabel: ReadonlyMap<string, readonly KubeObject[]>,
  namespace: string,
  wanted: readonly (readonly [key: string, value: string])[],
): readonly KubeObject[] {
  const having = wanted.map(([key, value]) =>
    [namespace, ...(namespace === '' ? [] : [''])].flatMap((each) => byLabel.get(`${each} ${key}=${value}`) ?? []),
  );
  const [fewest] = having.toSorted((one, other) => one.length - other.length);
  return (fewest ?? []).filter((workload) => {
    const labels = textsOf(podOf(workload).metadata?.labels);
    return wanted.every(([key, value]) => labels[key] === value);
  });
}
