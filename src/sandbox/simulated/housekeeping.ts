import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { applyObject } from './apply.ts';
import { rulesOf } from './authorization.ts';
import { deleteObject, dependentsOf } from './deletion.ts';
import { kindOf, kinds } from './kinds.ts';
import type { Kind, Obj, Simulation, Store } from './types.ts';

const core = (kind: string): Kind => kindOf('', kind) as Kind;
const namespaces = core('Namespace');
const clusterRoles = kindOf('rbac.authorization.k8s.io', 'ClusterRole') as Kind;
const inNamespaces = kinds.filter(({ namespaced }) => namespaced);

/**
 * Does what kube-controller-manager does without being asked: every namespace has its
 * ServiceAccount and the cluster's CA; one that is being deleted loses what is in it, and then goes
 * itself; an object goes after the last of its owners; ClusterRoles that gather others follow these
 * (k8s.io/kubernetes/pkg/controller/{serviceaccount,certificates/rootcacertpublisher,namespace,garbagecollector,clusterroleaggregation}).
 */
export function keepHouse({ store, files, now, signal }: Pick<Simulation, 'store' | 'files' | 'now' | 'signal'>): void {
  const ca = readFileSync(files.ca.cert, 'utf8');
  // Later: whoever deletes something sees what that made of it before anything else happens to it.
  const later = (react: () => void): void => void setImmediate(() => signal.aborted || react());
  const end = store.subscribe(({ type, kind, object }) => {
    const { namespace, name, deletionTimestamp } = object.metadata;
    // At once: a pod that needs the ServiceAccount may be the very next request.
    if (kind === namespaces && type === 'ADDED') furnish(store, name, ca);
    else if (kind === namespaces && deletionTimestamp && type !== 'DELETED') later(() => empty(store, object, now()));
    if (kind === clusterRoles) later(() => aggregate(store, now()));
    if (type !== 'DELETED') return;
    later(() => {
      afterwards(store, object, now());
      if (kind !== namespaces && kind.namespaced) furnish(store, namespace, ca);
    });
  });
  signal.addEventListener('abort', end, { once: true });
}

/**
 * Gives the ClusterRoles that gather others the rules of these
 * (k8s.io/kubernetes/pkg/controller/clusterroleaggregation).
 */
export function aggregate(store: Store, now: Date): void {
  for (const live of store.list(clusterRoles)) {
    if (!live.aggregationRule || isDeepStrictEqual(live.rules ?? [], rulesOf(store, live))) continue;
    const applied = { apiVersion: live.apiVersion, kind: live.kind, metadata: { name: live.metadata.name }, rules: rulesOf(store, live) };
    const manager = 'clusterrole-aggregation-controller';
    store.update(clusterRoles, applyObject({ kind: clusterRoles, live, applied, manager, force: true, now }));
  }
}

const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

function furnish(store: Store, namespace: string, ca: string): void {
  const home = store.get(namespaces, undefined, namespace);
  if (!home || home.metadata.deletionTimestamp) return;
  const account = { metadata: { name: 'default', namespace } };
  const root = {
    metadata: { name: 'kube-root-ca.crt', namespace, annotations: { 'kubernetes.io/description': description } },
    data: { 'ca.crt': ca },
  };
  if (!store.get(core('ServiceAccount'), namespace, 'default')) store.create(core('ServiceAccount'), account);
  if (!store.get(core('ConfigMap'), namespace, 'kube-root-ca.crt')) store.create(core('ConfigMap'), root);
}

/** Goes on with the deletion of a namespace, if it is still there. */
function empty(store: Store, { metadata: { uid, name: namespace } }: Obj, now: Date): void {
  if (store.get(namespaces, undefined, namespace)?.metadata.uid !== uid) return;
  for (const kind of inNamespaces) {
    for (const object of store.list(kind, namespace)) if (!object.metadata.deletionTimestamp) deleteObject(store, kind, object, {}, now);
  }
  if (inNamespaces.every((kind) => store.list(kind, namespace).length === 0)) store.delete(namespaces, undefined, namespace);
}

/**
 * Looks after those who depended on an object that is gone, and a namespace that waited for it to
 * go.
 */
function afterwards(store: Store, { metadata: { uid, namespace } }: Obj, now: Date): void {
  for (const { kind, object } of dependentsOf(store, uid)) {
    const left = object.metadata.ownerReferences.some((owner: Obj) => isThere(store, owner));
    if (!left && !object.metadata.deletionTimestamp) deleteObject(store, kind, object, {}, now);
  }
  const home = store.get(namespaces, undefined, namespace);
  if (home?.metadata.deletionTimestamp) empty(store, home, now);
}

const isThere = (store: Store, { uid }: Obj): boolean =>
  kinds.some((kind) => store.list(kind).some(({ metadata }) => metadata.uid === uid));
