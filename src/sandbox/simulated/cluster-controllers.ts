import { readFileSync } from 'node:fs';
import { deleteObject, dependentsOf } from './deletion.ts';
import { coreKind, kinds } from './kinds.ts';
import type { Obj, Simulation, Store } from './types.ts';

const namespaces = coreKind('Namespace');
const inNamespaces = kinds.filter(({ namespaced }) => namespaced);

/**
 * Runs the controllers of kube-controller-manager that a registration depends on: each namespace
 * gets its default ServiceAccount and the cluster's CA, a deleted namespace is emptied, and objects
 * are deleted after their last owner (k8s.io/kubernetes/pkg/controller/{serviceaccount,
 * certificates/rootcacertpublisher,namespace,garbagecollector}).
 */
export function runControllers({ store, files, now, signal }: Pick<Simulation, 'store' | 'files' | 'now' | 'signal'>): void {
  const ca = readFileSync(files.ca.cert, 'utf8');
  // The client that deletes an object gets its answer first.
  const later = (react: () => void): void => void setImmediate(() => signal.aborted || react());
  const end = store.subscribe(({ type, kind, object }) => {
    const { namespace, name, deletionTimestamp } = object.metadata;
    // At once: the next request may create a pod that needs the ServiceAccount.
    if (kind === namespaces && type === 'ADDED') ensureDefaults(store, name, ca);
    else if (kind === namespaces && deletionTimestamp && type !== 'DELETED') later(() => empty(store, object, now()));
    if (type !== 'DELETED') return;
    later(() => {
      collectGarbage(store, object, now());
      if (kind !== namespaces && kind.namespaced) ensureDefaults(store, namespace, ca);
    });
  });
  signal.addEventListener('abort', end, { once: true });
}

function ensureDefaults(store: Store, namespace: string, ca: string): void {
  const home = store.get(namespaces, undefined, namespace);
  if (!home || home.metadata.deletionTimestamp) return;
  const defaults = [
    { kind: coreKind('ServiceAccount'), name: 'default', content: {} },
    { kind: coreKind('ConfigMap'), name: 'kube-root-ca.crt', content: { data: { 'ca.crt': ca } } },
  ];
  for (const { kind, name, content } of defaults)
    if (!store.get(kind, namespace, name)) store.create(kind, { metadata: { name, namespace }, ...content });
}

/** Continues the deletion of a namespace, unless it is gone. */
function empty(store: Store, { metadata: { uid, name: namespace } }: Obj, now: Date): void {
  if (store.get(namespaces, undefined, namespace)?.metadata.uid !== uid) return;
  for (const kind of inNamespaces) {
    for (const object of store.list(kind, namespace)) if (!object.metadata.deletionTimestamp) deleteObject(store, kind, object, {}, now);
  }
  if (inNamespaces.every((kind) => store.list(kind, namespace).length === 0)) store.delete(namespaces, undefined, namespace);
}

/** Deletes the dependents of a deleted object, and the namespace that waited for it. */
function collectGarbage(store: Store, { metadata: { uid, namespace } }: Obj, now: Date): void {
  const exists = (owner: Obj): boolean => kinds.some((kind) => store.list(kind).some(({ metadata }) => metadata.uid === owner.uid));
  for (const { kind, object } of dependentsOf(store, uid))
    if (!object.metadata.deletionTimestamp && !object.metadata.ownerReferences.some(exists)) deleteObject(store, kind, object, {}, now);
  const home = store.get(namespaces, undefined, namespace);
  if (home?.metadata.deletionTimestamp) empty(store, home, now);
}
