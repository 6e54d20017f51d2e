import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { alreadyExists, conflict, notFound } from '../shared/failure.ts';
import { apiVersionOf } from './kinds.ts';
import type { Kind, Obj, Store, StoreEvent } from './types.ts';

/** As many changes as kube-apiserver's watch cache may remember of one kind; here of all. */
const remembered = 2_000;

/**
 * In the order in which Kubernetes writes them (k8s.io/apimachinery/pkg/apis/meta/v1/types.go,
 * ObjectMeta).
 */
const metadataFields = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
];

/**
 * What is there counts; an empty map or list is as good as none, as in Go's JSON with omitempty.
 */
const isSet = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && (typeof value !== 'object' || Object.keys(value).length > 0);

/** An object with its fields in order, and nothing in its metadata that is no metadata. */
function tidy(kind: Kind, { apiVersion: _, kind: __, metadata, ...rest }: Obj, own: Obj): Obj {
  const all = { ...metadata, ...own };
  const known = metadataFields.filter((field) => isSet(all[field])).map((field) => [field, all[field]]);
  return { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: Object.fromEntries(known), ...rest };
}

/** What `generation` counts the changes of. */
const content = ({ metadata: _, status: __, ...rest }: Obj): Obj => rest;

/** All but what every write sets anew. */
const lasting = ({ metadata: { resourceVersion: _, managedFields = [], ...metadata }, ...rest }: Obj): Obj => ({
  ...rest,
  metadata: { ...metadata, managedFields: managedFields.map(({ time: _, ...entry }: Obj) => entry) },
});

/** A moment as Kubernetes writes it: UTC, whole seconds. */
export const timestamp = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

/** Makes an empty store. @param now - the clock of creationTimestamp */
export function createStore(now: () => Date): Store {
  const objects = new Map<Kind, Map<string, Obj>>();
  const listeners = new Set<(event: StoreEvent) => void>();
  const history: StoreEvent[] = [];
  const untold: StoreEvent[] = [];
  let telling = false;
  let resourceVersion = 0;
  let forgotten = 0;

  const of = (kind: Kind): Map<string, Obj> => {
    const found = objects.get(kind) ?? new Map<string, Obj>();
    objects.set(kind, found);
    return found;
  };
  const keyOf = (namespace: string | undefined, name: string): string => (namespace ? `${namespace}/${name}` : name);
  const keyIn = ({ metadata }: Obj): string => keyOf(metadata.namespace, metadata.name);

  /**
   * What a listener changes is told after what it is being told of, so that everybody hears of all
   * changes in their order.
   */
  const tell = (): void => {
    if (telling) return;
    telling = true;
    try {
      for (let event = untold.shift(); event; event = untold.shift()) for (const listener of listeners) listener(event);
    } finally {
      telling = false;
    }
  };

  /** Takes one more resourceVersion and tells everybody. */
  const happen = (type: StoreEvent['type'], kind: Kind, object: Obj, before?: Obj): Obj => {
    resourceVersion += 1;
    const stored = tidy(kind, object, { resourceVersion: String(resourceVersion) });
    if (type === 'DELETED') of(kind).delete(keyIn(stored));
    else of(kind).set(keyIn(stored), stored);
    const event: StoreEvent = { type, kind, object: stored, resourceVersion, ...(before ? { before } : {}) };
    history.push(event);
    if (history.length > remembered) forgotten = history.shift()?.resourceVersion ?? 0;
    untold.push(event);
    tell();
    return stored;
  };

  return {
    get: (kind, namespace, name) => of(kind).get(keyOf(namespace, name)),
    list: (kind, namespace) =>
      [...of(kind)]
        .filter(([, { metadata }]) => namespace === undefined || metadata.namespace === namespace)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([, object]) => object),
    create(kind, object, { dryRun = false } = {}) {
      if (of(kind).has(keyIn(object))) throw alreadyExists(kind, object.metadata.name);
      const { uid = randomUUID(), creationTimestamp = timestamp(now()), generation = kind.generation ? 1 : undefined } = object.metadata;
      const complete = tidy(kind, object, { uid, creationTimestamp, generation, resourceVersion: undefined });
      return dryRun ? complete : happen('ADDED', kind, complete);
    },
    update(kind, object, { dryRun = false } = {}) {
      const { name, namespace, resourceVersion: expected } = object.metadata;
      const before = of(kind).get(keyOf(namespace, name));
      if (!before) throw notFound(kind, name);
      if (expected && expected !== before.metadata.resourceVersion) {
        throw conflict(kind, name, 'the object has been modified; please apply your changes to the latest version and try again');
      }
      const { uid, creationTimestamp, generation = 0, resourceVersion: version } = before.metadata;
      const grown = kind.generation && !isDeepStrictEqual(content(before), content(tidy(kind, object, {})));
      const counted = grown ? { generation: generation + 1 } : {};
      const metadata = { uid, creationTimestamp, ...(kind.generation ? { generation } : {}), ...object.metadata, ...counted };
      const after = tidy(kind, { ...object, metadata }, { resourceVersion: version });
      if (isDeepStrictEqual(lasting(before), lasting(after))) return before;
      return dryRun ? after : happen('MODIFIED', kind, after, before);
    },
    delete(kind, namespace, name, { dryRun = false } = {}) {
      const before = of(kind).get(keyOf(namespace, name));
      if (!before) throw notFound(kind, name);
      return dryRun ? before : happen('DELETED', kind, before, before);
    },
    get resourceVersion() {
      return resourceVersion;
    },
    since: (version) => (version < forgotten ? undefined : history.filter((event) => event.resourceVersion > version)),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
