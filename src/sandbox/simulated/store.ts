import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { alreadyExists, conflict, notFound } from '../shared/failure.ts';
import { timestamp } from '../shared/timestamp.ts';
import { apiVersionOf } from './kinds.ts';
import type { Kind, Obj, Store, StoreEvent } from './types.ts';

/** Changes that are kept for watches. */
const historyLength = 2_000;

/** k8s.io/apimachinery/pkg/apis/meta/v1/types.go, ObjectMeta. */
const metadataFields =
  'name namespace uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds labels annotations ownerReferences finalizers managedFields'.split(
    ' ',
  );

/** As in Go's JSON with omitempty. */
const isSet = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && (typeof value !== 'object' || Object.keys(value).length > 0);

/** An object with its fields in order, and known fields only in its metadata. */
function tidy(kind: Kind, { apiVersion: _, kind: __, metadata, ...rest }: Obj, own: Obj): Obj {
  const all = { ...metadata, ...own };
  const known = metadataFields.filter((field) => isSet(all[field])).map((field) => [field, all[field]]);
  return { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: Object.fromEntries(known), ...rest };
}

/** `generation` counts changes of it. */
const content = ({ metadata: _, status: __, ...rest }: Obj): Obj => rest;

/** Without what every write changes. */
const lasting = ({ metadata: { resourceVersion: _, managedFields = [], ...metadata }, ...rest }: Obj): Obj => ({
  ...rest,
  metadata: { ...metadata, managedFields: managedFields.map(({ time: _, ...entry }: Obj) => entry) },
});

/** Creates an empty store. @param now - the clock of creationTimestamp */
export function createStore(now: () => Date): Store {
  const objects = new Map<Kind, Map<string, Obj>>();
  const listeners = new Set<(event: StoreEvent) => void>();
  const history: StoreEvent[] = [];
  const pending: StoreEvent[] = [];
  let notifying = false;
  let resourceVersion = 0;
  let forgotten = 0;

  const of = (kind: Kind): Map<string, Obj> => {
    const found = objects.get(kind) ?? new Map<string, Obj>();
    objects.set(kind, found);
    return found;
  };
  const keyOf = (namespace: string | undefined, name: string): string => (namespace ? `${namespace}/${name}` : name);
  const keyIn = ({ metadata }: Obj): string => keyOf(metadata.namespace, metadata.name);

  /** Changes that a listener makes are queued, so that all listeners get all events in order. */
  const notify = (): void => {
    if (notifying) return;
    notifying = true;
    try {
      for (let event = pending.shift(); event; event = pending.shift()) for (const listener of listeners) listener(event);
    } finally {
      notifying = false;
    }
  };

  /** Stores a change under a new resourceVersion and notifies listeners. */
  const commit = (type: StoreEvent['type'], kind: Kind, object: Obj, before?: Obj): Obj => {
    resourceVersion += 1;
    const stored = tidy(kind, object, { resourceVersion: String(resourceVersion) });
    if (type === 'DELETED') of(kind).delete(keyIn(stored));
    else of(kind).set(keyIn(stored), stored);
    const event: StoreEvent = { type, kind, object: stored, resourceVersion, ...(before ? { before } : {}) };
    history.push(event);
    if (history.length > historyLength) forgotten = history.shift()?.resourceVersion ?? 0;
    pending.push(event);
    notify();
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
      return dryRun ? complete : commit('ADDED', kind, complete);
    },
    update(kind, object, { dryRun = false } = {}) {
      const { name, namespace, resourceVersion: expected } = object.metadata;
      const before = of(kind).get(keyOf(namespace, name));
      if (!before) throw notFound(kind, name);
      if (expected && expected !== before.metadata.resourceVersion) throw conflict(kind, name);
      const { uid, creationTimestamp, generation = 0, resourceVersion: version } = before.metadata;
      const grown = kind.generation && !isDeepStrictEqual(content(before), content(tidy(kind, object, {})));
      const counted = grown ? { generation: generation + 1 } : {};
      const metadata = { uid, creationTimestamp, ...(kind.generation ? { generation } : {}), ...object.metadata, ...counted };
      const after = tidy(kind, { ...object, metadata }, { resourceVersion: version });
      if (isDeepStrictEqual(lasting(before), lasting(after))) return before;
      return dryRun ? after : commit('MODIFIED', kind, after, before);
    },
    delete(kind, namespace, name, { dryRun = false } = {}) {
      const before = of(kind).get(keyOf(namespace, name));
      if (!before) throw notFound(kind, name);
      return dryRun ? before : commit('DELETED', kind, before, before);
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
