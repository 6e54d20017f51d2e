import { ApiFailure, conflict, invalid, notFound, readable } from '../shared/failure.ts';
import { isFinished } from './deletion.ts';
import { wrong } from './faults.ts';
import { faultsOf, prepared, withDefaults } from './kind-rules.ts';
import { kindOf } from './kinds.ts';
import type { Kind, Obj, Simulation, Store } from './types.ts';

/**
 * Says who owns the fields of an object that is about to be stored.
 * @param live - what it replaces
 */
export type Track = (object: Obj, live: Obj | undefined) => Obj;

/** How objects come into the store, from whoever sent them. */
export interface Writer {
  /** @throws ApiFailure when the object is not fit, or its namespace is not there */
  create(kind: Kind, sent: Obj, write: Write): Obj;
  /**
   * @param sent - the whole object as it is to be
   * @throws ApiFailure when it is not fit, or `live` is no more what is there
   */
  update(kind: Kind, live: Obj, sent: Obj, write: Write): Obj;
}

interface Write {
  readonly dryRun: boolean;
  /** `status` changes nothing else. */
  readonly subresource: string;
  readonly track: Track;
}

const namespaces = kindOf('', 'Namespace') as Kind;

/**
 * The steps of k8s.io/apiserver/pkg/registry/rest/{create,update}.go: defaults, owners of fields,
 * what the server adds, validation.
 */
export function createWriter({ store, now }: Pick<Simulation, 'store' | 'now'>): Writer {
  const check = (kind: Kind, object: Obj, old: Obj | undefined): void => {
    const faults = faultsOf(kind, object, old);
    if (faults.length > 0) throw invalid(kind, object.metadata.name, faults);
  };

  return {
    create(kind, sent, { dryRun, track }) {
      if (sent.metadata.resourceVersion) throw new ApiFailure(500, '', 'resourceVersion should not be set on objects to be created');
      checkNamespace(store, kind, sent);
      const complete = readable(kind, () => {
        const tracked = track(withDefaults(kind, asNew(kind, sent), undefined, now()), undefined);
        const ready = prepared(store, kind, tracked, undefined);
        check(kind, ready, undefined);
        return ready;
      });
      return store.create(kind, complete, { dryRun });
    },

    update(kind, live, sent, { dryRun, subresource, track }) {
      checkVersion(sent.metadata.resourceVersion);
      const object = subresource === 'status' ? withStatus(live, sent) : withKept(kind, live, sent);
      const complete = readable(kind, () => {
        const defaulted = subresource === 'status' ? object : withDefaults(kind, object, live, now());
        const ready = prepared(store, kind, track(defaulted, live), live);
        check(kind, ready, live);
        return ready;
      });
      const stored = store.update(kind, complete, { dryRun });
      if (isFinished(stored) && kind !== namespaces) store.delete(kind, stored.metadata.namespace, stored.metadata.name, { dryRun });
      return stored;
    },
  };
}

/** @throws ApiFailure 500, as kube-apiserver answers there */
function checkVersion(resourceVersion = ''): void {
  if (/^\d*$/.test(resourceVersion)) return;
  throw new ApiFailure(500, '', `strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`);
}

const serverFields = ['uid', 'generation', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'];

/** Without what only the server writes. */
function asNew(kind: Kind, { status, metadata, ...rest }: Obj): Obj {
  const own = Object.entries(metadata).filter(([field]) => !serverFields.includes(field));
  return { ...rest, metadata: Object.fromEntries(own), ...(kind.status || status === undefined ? {} : { status }) };
}

/** What only the server writes stays as it is. */
function withKept(kind: Kind, live: Obj, sent: Obj): Obj {
  const kept = Object.fromEntries(serverFields.map((field) => [field, live.metadata[field]]));
  return {
    ...sent,
    metadata: { ...sent.metadata, ...kept, uid: sent.metadata.uid || kept.uid },
    ...(kind.status ? { status: live.status } : {}),
  };
}

const withStatus = (live: Obj, { status, metadata }: Obj): Obj => ({
  ...live,
  metadata: { ...live.metadata, resourceVersion: metadata.resourceVersion, managedFields: metadata.managedFields },
  status: status ?? {},
});

/** k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle. */
function checkNamespace(store: Store, kind: Kind, { metadata }: Obj): void {
  if (!kind.namespaced) return;
  const { name, namespace } = metadata;
  const home = store.get(namespaces, undefined, namespace);
  if (!home) throw notFound(namespaces, namespace);
  if (!home.metadata.deletionTimestamp) return;
  const qualified = kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
  const why = `${qualified} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`;
  throw new ApiFailure(403, 'Forbidden', why, {
    name,
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.plural,
    causes: [{ reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' }],
  });
}

/**
 * AllowUnconditionalUpdate of the strategies: to replace these one must say which version is meant.
 */
const conditional = ['APIService', 'Lease', 'PodDisruptionBudget'];

/**
 * Checks that an object may be replaced by another of its name.
 * @throws ApiFailure 409 when the other one says that it is of another uid; 422 when it must say of
 * which version, and does not
 */
export function checkReplacement(kind: Kind, sent: Obj, { metadata }: Obj): void {
  const { uid, resourceVersion } = sent.metadata;
  const { group, plural } = kind;
  if (uid && uid !== metadata.uid) {
    const key = ['/registry', group, plural, metadata.namespace, metadata.name].filter(Boolean).join('/');
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`;
    throw conflict(
      kind,
      metadata.name,
      `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
    );
  }
  if (!resourceVersion && conditional.includes(kind.kind)) {
    throw invalid({ group, kind: plural }, metadata.name, [wrong('metadata.resourceVersion', 0, 'must be specified for an update')]);
  }
}
