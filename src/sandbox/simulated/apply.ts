import { isDeepStrictEqual } from 'node:util';
import { ApiFailure, badRequest } from '../shared/failure.ts';
import { apiVersionOf } from './kinds.ts';
import { difference, type FieldSet, fieldsOf, intersection, pathOf, problemsOf, union, without, wordsOf } from './managed-fields.ts';
import { decodeManagers, identityOf, type Manager, type Managers, withManagers } from './managers.ts';
import { type Changes, changesBetween, merge, prune, withoutNulls } from './structured-merge.ts';
import type { Kind, Obj } from './types.ts';

// Who owns which field after a write: KEP-555, k8s.io/apimachinery/pkg/util/managedfields and
// merge/update.go of structured-merge-diff.

/** What nobody owns (managedfields/internal/stripmeta.go). */
const nobodys: FieldSet = new Set([
  pathOf('apiVersion'),
  pathOf('kind'),
  pathOf('metadata'),
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map(
    (name) => pathOf('metadata', name),
  ),
]);

/** What writing to status leaves alone besides spec (GetResetFields of the strategies). */
const keptByStatus: Readonly<Record<string, readonly string[]>> = {
  APIService: [pathOf('metadata')],
  Deployment: [pathOf('metadata', 'labels')],
};

/**
 * @returns a function that leaves out of a set what a write to this path of the API does not
 * change, whatever it says
 */
function writable(kind: Kind, subresource: string): (set: FieldSet) => FieldSet {
  const ofStatus = [pathOf('spec'), ...(keptByStatus[kind.kind] ?? [])];
  return (set) => without(set, subresource === 'status' ? ofStatus : kind.status ? [pathOf('status')] : []);
}

const timeOf = (now: Date): string => `${now.toISOString().slice(0, 19)}Z`;

const bare = (object: Obj): Obj => withManagers(object, new Map());

/** @returns the managers without what is no longer there, or now is another's */
function after(managers: Managers, { set, removed }: Changes): Managers {
  const gone = union(set, removed);
  return new Map([...managers].map(([id, manager]) => [id, { ...manager, fields: difference(manager.fields, gone) }]));
}

interface Write {
  readonly kind: Kind;
  /** Undefined when the object is created. */
  readonly live: Obj | undefined;
  /** The fieldManager of the request, or what its User-Agent says. */
  readonly manager: string;
  /** `status`, or none. */
  readonly subresource?: string;
  readonly now: Date;
}

/**
 * The managers that what a client sent starts from; it may change them itself, and remove all of
 * them (FieldManager.Update, isResetManagedFields).
 */
function managersSent(live: Obj, sent: Obj, subresource: string): Managers {
  if (subresource !== '') return decodeManagers(live?.metadata.managedFields);
  const reset = Array.isArray(sent) && (sent.length === 0 || (sent.length === 1 && isDeepStrictEqual(sent[0], {})));
  const managers = decodeManagers(sent);
  return reset || managers.size > 0 ? managers : decodeManagers(live?.metadata.managedFields);
}

function changedBy({ kind, live, manager, subresource = '', now }: Write, updated: Obj, managers: Managers): Managers {
  const writer: Omit<Manager, 'fields'> = { manager, operation: 'Update', apiVersion: apiVersionOf(kind), subresource, time: timeOf(now) };
  const may = writable(kind, subresource);
  const { set, removed } = changesBetween(bare(live ?? {}), bare(updated));
  const left = after(managers, { set: may(set), removed: may(removed) });
  const taken = difference(may(set), nobodys);
  if (taken.size === 0) return left;
  const id = identityOf(writer);
  return left.set(id, { ...writer, fields: union(left.get(id)?.fields ?? new Set(), taken) });
}

/**
 * Who owns what after a create, update or patch: what changed becomes the manager's and is nobody
 * else's any more.
 *
 * @param write.updated - the object as it will be stored, with defaults, but without what
 * kube-apiserver only then allocates (a clusterIP); with the metadata.managedFields of the request,
 * if it has any
 * @returns `updated` with metadata.managedFields; of an object that had none, and is not created,
 * nothing is tracked
 */
export function trackUpdate({ updated, ...write }: Write & { readonly updated: Obj }): Obj {
  const managers = managersSent(write.live, updated.metadata.managedFields, write.subresource ?? '');
  return withManagers(updated, managers.size === 0 && write.live ? managers : changedBy(write, updated, managers));
}

const nameOf = ({ manager, operation, apiVersion, subresource }: Manager): string =>
  JSON.stringify(manager) +
  (subresource ? ` with subresource "${subresource}"` : '') +
  (operation === 'Update' ? ` using ${apiVersion}` : '');

/**
 * @throws ApiFailure 409 when others own what is set to another value
 * (managedfields/internal/conflict.go)
 */
function refuseConflicts(others: Managers, set: FieldSet): void {
  const conflicts = [...others]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, other]) => ({ whom: nameOf(other), fields: wordsOf(intersection(other.fields, set)) }))
    .filter(({ fields }) => fields.length > 0);
  const causes = conflicts.flatMap(({ whom, fields }) =>
    fields.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${whom}`, field })),
  );
  const [only] = causes;
  if (!only) return;
  const all = conflicts.flatMap(({ whom, fields }) => [`conflicts with ${whom}:`, ...fields.map((field) => `- ${field}`)]).join('\n');
  const words = causes.length === 1 ? `1 conflict: ${only.message}: ${only.field}` : `${causes.length} conflicts: ${all}`;
  throw new ApiFailure(409, 'Conflict', `Apply failed with ${words}`, { causes });
}

/**
 * @throws ApiFailure when what is applied is of another kind, says who owns it, or has the same
 * element of a list twice
 */
function refuseUnfit(kind: Kind, applied: Obj): void {
  const { apiVersion, metadata } = applied;
  const slash = apiVersion?.includes('/') ? apiVersion : `/${apiVersion}`;
  if (apiVersion !== apiVersionOf(kind) || applied.kind !== kind.kind)
    throw badRequest(`invalid object type: ${slash}, Kind=${applied.kind}`);
  if (metadata?.managedFields) throw badRequest('metadata.managedFields must be nil');
  const problems = problemsOf(applied);
  if (problems.length === 0) return;
  const words = problems.length === 1 ? problems[0] : ['errors:', ...problems.map((problem) => `  ${problem}`)].join('\n');
  throw new ApiFailure(
    500,
    '',
    `failed to create typed patch object (${metadata?.namespace ?? ''}/${metadata?.name ?? ''}; ${slash}, Kind=${kind.kind}): ${words}`,
  );
}

/**
 * Server-side apply: `applied` is all that the manager wants; what it applied before and no longer
 * does is removed, unless others own it.
 *
 * @param write.force - takes what others own
 * @returns the object with metadata.managedFields, without defaults for what is new; equal to
 * `live` when nothing changes
 * @throws ApiFailure 409 Conflict with causes FieldManagerConflict; 400 or 500 when it can not be
 * applied whatever there is
 */
export function applyObject({ applied, force, ...write }: Write & { readonly applied: Obj; readonly force: boolean }): Obj {
  const { kind, manager, subresource = '', now } = write;
  refuseUnfit(kind, applied);
  const live = bare(write.live ?? {});
  const known = decodeManagers(write.live?.metadata.managedFields);
  // What was there before anybody applied belongs to a manager of its own
  // (managedfields/internal/skipnonapplied.go).
  const beforeFirst = { ...write, live: undefined, manager: 'before-first-apply' };
  const managers = known.size === 0 && write.live ? changedBy(beforeFirst, live, known) : known;

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
  const time = isDeepStrictEqual(live, result) ? last?.time : timeOf(now);
  const fields = difference(own, nobodys);
  return withManagers(result, left.set(id, { ...writer, ...(time ? { time } : {}), fields }));
}
