import { ApiFailure, conflict, invalid, notFound } from '../shared/failure.ts';
import { isFinished } from './deletion.ts';
import { faultsOf, prepared, withDefaults } from './kind-rules.ts';
import { coreKind } from './kinds.ts';
import type { Kind, Obj, Simulation, Store } from './types.ts';

/** Records the owners of fields before an object is stored. @param live - what it replaces */
export type Track = (object: Obj, live: Obj | undefined) => Obj;

export interface Writer {
  /** @throws ApiFailure when the object is invalid, or its namespace does not exist */
  create(kind: Kind, sent: Obj, write: Write): Obj;
  /** @throws ApiFailure when the object is invalid; 409 when `live` is no longer current */
  update(kind: Kind, live: Obj, sent: Obj, write: Write): Obj;
}

interface Write {
  readonly dryRun: boolean;
  /** `status` changes nothing else. */
  readonly subresource: string;
  readonly track: Track;
}

const namespaces = coreKind('Namespace');

/**
 * Writes in the steps of k8s.io/apiserver/pkg/registry/rest/{create,update}.go: defaults, owners of
 * fields, what the server adds, validation.
 */
export function createWriter({ store, now }: Pick<Simulation, 'store' | 'now'>): Writer {
  const complete = (kind: Kind, defaulted: Obj, old: Obj | undefined, track: Track): Obj => {
    const object = prepared(store, kind, track(defaulted, old), old);
    const faults = faultsOf(kind, object, old);
    if (faults.length > 0) throw invalid(kind, object.metadata.name, faults);
    return object;
  };

  return {
    create(kind, sent, { dryRun, track }) {
      if (sent.metadata.resourceVersion) throw new ApiFailure(500, '', 'resourceVersion should not be set on objects to be created');
      checkNamespace(store, kind, sent);
      const object = withDefaults(kind, withoutServerFields(kind, sent), undefined, now());
      return store.create(kind, complete(kind, object, undefined, track), { dryRun });
    },

    update(kind, live, sent, { dryRun, subresource, track }) {
      if (sent.metadata.uid && sent.metadata.uid !== live.metadata.uid)
        throw conflict(kind, live.metadata.name, `the UID ${sent.metadata.uid} is not that of the object, ${live.metadata.uid}`);
      const object =
        subresource === 'status' ? withStatus(live, sent) : withDefaults(kind, withServerFields(kind, live, sent), live, now());
      const stored = store.update(kind, complete(kind, object, live, track), { dryRun });
      if (isFinished(stored) && kind !== namespaces) store.delete(kind, stored.metadata.namespace, stored.metadata.name, { dryRun });
      return stored;
    },
  };
}

/** Fields of metadata that only the server writes. */
const serverFields = ['uid', 'generation', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'];

function withoutServerFields(kind: Kind, { status, metadata, ...rest }: Obj): Obj {
  const own = Object.entries(metadata).filter(([field]) => !serverFields.includes(field));
  return { ...rest, metadata: Object.fromEntries(own), ...(kind.status || status === undefined ? {} : { status }) };
}

function withServerFields(kind: Kind, live: Obj, sent: Obj): Obj {
  const kept = Object.fromEntries(serverFields.map((field) => [field, live.metadata[field]]));
  return { ...sent, metadata: { ...sent.metadata, ...kept }, ...(kind.status ? { status: live.status } : {}) };
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
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const causes = [{ reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' }];
  throw new ApiFailure(403, 'Forbidden', `${kind.plural} "${name}" is forbidden: ${why}`, { name, kind: kind.plural, causes });
}
