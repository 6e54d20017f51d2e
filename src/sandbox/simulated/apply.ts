import { isDeepStrictEqual } from 'node:util';
import { ApiFailure, badRequest } from '../shared/failure.ts';
import { timestamp } from '../shared/timestamp.ts';
import { withoutNulls } from './bodies.ts';
import { apiVersionOf } from './kinds.ts';
import { difference, displayPaths, type FieldSet, fieldsOf, intersection, pathOf, union, without } from './managed-fields.ts';
import { decodeManagers, identityOf, type Manager, type Managers, withManagers } from './managers.ts';
import { type Changes, changesBetween, merge, prune } from './structured-merge.ts';
import type { Kind, Obj } from './types.ts';

// Ownership of fields: KEP-555, k8s.io/apimachinery/pkg/util/managedfields, and merge/update.go of
// structured-merge-diff.

const unownedMetadata = ['name', 'namespace', 'creationTimestamp', 'uid', 'generation', 'managedFields', 'resourceVersion'];

/** Fields without an owner (managedfields/internal/stripmeta.go). */
const unowned: FieldSet = new Set([
  pathOf('apiVersion'),
  pathOf('kind'),
  pathOf('metadata'),
  ...unownedMetadata.map((name) => pathOf('metadata', name)),
]);

/** @returns removes from a set what a write to this subresource does not change (GetResetFields) */
function writable(kind: Kind, subresource: string): (set: FieldSet) => FieldSet {
  const ofStatus = [pathOf('spec'), ...(kind.kind === 'APIService' ? [pathOf('metadata')] : [])];
  return (set) => without(set, subresource === 'status' ? ofStatus : kind.status ? [pathOf('status')] : []);
}

const bare = (object: Obj): Obj => withManagers(object, new Map());

/** @returns the managers without the fields that another manager changed */
function after(managers: Managers, { set, removed }: Changes): Managers {
  const gone = union(set, removed);
  return new Map([...managers].map(([id, manager]) => [id, { ...manager, fields: difference(manager.fields, gone) }]));
}

interface Write {
  readonly kind: Kind;
  /** Undefined for a create. */
  readonly live: Obj | undefined;
  /** The fieldManager of the request, or the name of its User-Agent. */
  readonly manager: string;
  /** `status`, or none. */
  readonly subresource?: string;
  readonly now: Date;
}

/**
 * Tracks a create, update or patch: the manager becomes the only owner of what it changed.
 * @param write.updated - the object with defaults, without what kube-apiserver allocates later
 * @returns `updated` with metadata.managedFields; an object without them stays without
 */
export function trackUpdate({ updated, kind, live, manager, subresource = '', now }: Write & { readonly updated: Obj }): Obj {
  const writer: Omit<Manager, 'fields'> = {
    manager,
    operation: 'Update',
    apiVersion: apiVersionOf(kind),
    subresource,
    time: timestamp(now),
  };
  const may = writable(kind, subresource);
  const { set, removed } = changesBetween(bare(live ?? {}), bare(updated));
  // `kubectl apply --server-side` moves fields from one manager to another.
  const given = subresource === '' && updated.metadata.managedFields?.length ? updated : live;
  // One empty entry removes all (managedfields/internal/managedfields.go,
  // RemoveObjectManagedFields).
  const entries = given?.metadata.managedFields?.filter((entry: Obj) => Object.keys(entry).length > 0);
  const managers = decodeManagers(live && entries);
  if (live && managers.size === 0) return withManagers(updated, managers);
  const left = after(managers, { set: may(set), removed: may(removed) });
  const taken = difference(may(set), unowned);
  if (taken.size === 0) return withManagers(updated, left);
  const id = identityOf(writer);
  return withManagers(updated, left.set(id, { ...writer, fields: union(left.get(id)?.fields ?? new Set(), taken) }));
}

const nameOf = ({ manager, operation, apiVersion, subresource }: Manager): string =>
  JSON.stringify(manager) +
  (subresource ? ` with subresource "${subresource}"` : '') +
  (operation === 'Update' ? ` using ${apiVersion}` : '');

/** @throws ApiFailure 409 when others own what is set (managedfields/internal/conflict.go) */
function refuseConflicts(others: Managers, set: FieldSet): void {
  const conflicts = [...others]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, other]) => ({ whom: nameOf(other), fields: displayPaths(intersection(other.fields, set)) }))
    .filter(({ fields }) => fields.length > 0);
  const causes = conflicts.flatMap(({ whom, fields }) =>
    fields.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${whom}`, field })),
  );
  const [only] = causes;
  if (!only) return;
  const all = conflicts.flatMap(({ whom, fields }) => [`conflicts with ${whom}:`, ...fields.map((field) => `- ${field}`)]).join('\n');
  const message = causes.length === 1 ? `1 conflict: ${only.message}: ${only.field}` : `${causes.length} conflicts: ${all}`;
  throw new ApiFailure(409, 'Conflict', `Apply failed with ${message}`, { causes });
}

/**
 * Server-side apply: `applied` is all that the manager wants. What it no longer applies is removed,
 * unless others own it.
 * @param write.force - takes over fields of other managers
 * @returns the object with metadata.managedFields, without defaults; equal to `live` when nothing
 *   changes
 * @throws ApiFailure 409 Conflict with causes FieldManagerConflict; 400
 */
export function applyObject({ applied, force, ...write }: Write & { readonly applied: Obj; readonly force: boolean }): Obj {
  const { kind, manager, subresource = '', now } = write;
  if (applied.apiVersion !== apiVersionOf(kind) || applied.kind !== kind.kind)
    throw badRequest(`invalid object type: ${applied.apiVersion?.replace(/^(?!.*\/)/, '/')}, Kind=${applied.kind}`);
  if (applied.metadata?.managedFields) throw badRequest('metadata.managedFields must be nil');
  const live = bare(write.live ?? {});
  const managers = decodeManagers(write.live?.metadata.managedFields);

  const may = writable(kind, subresource);
  const writer: Omit<Manager, 'fields'> = { manager, operation: 'Apply', apiVersion: apiVersionOf(kind), subresource };
  const id = identityOf(writer);
  const last = managers.get(id);
  const own = may(fieldsOf(applied));
  const others = new Map([...managers].filter(([other]) => other !== id));
  const owned = union(own, ...[...others.values()].map(({ fields }) => fields));
  const merged = prune(merge(live, applied), last?.fields ?? new Set(), owned);

  const changes = changesBetween(live, merged);
  if (!force) refuseConflicts(others, may(changes.set));
  const left = after(others, { set: may(changes.set), removed: may(changes.removed) });
  const result = withoutNulls(merged);
  const time = isDeepStrictEqual(live, result) ? last?.time : timestamp(now);
  return withManagers(result, left.set(id, { ...writer, ...(time ? { time } : {}), fields: difference(own, unowned) }));
}
