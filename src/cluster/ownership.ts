import { changedPaths, mergePatch } from '../config/merge-patch.ts';
import { managedByLabel } from '../manifests/labels.ts';
import type { KubeObject } from '../manifests/types.ts';
import type { Answer } from './answer.ts';
import type { Cluster } from './cluster.ts';
import { type Conflict, conflictOver, fieldManager, isApplied, isManualEdit, ourEntry, rivalsOf } from './field-owners.ts';
import { formerAnnotation, formerlyAbsent, recordFormer } from './former.ts';
import { getObject, refOf } from './objects.ts';
import { extractOwned } from './owned-fields.ts';
import { describeRef, type ObjectRef, resourcePath } from './resources.ts';
import { readJson, readStatus, refusal } from './status.ts';

interface Applied {
  readonly kind: 'applied';
  readonly object: KubeObject;
  /** Manual edits of our fields that were overwritten. */
  readonly restored: readonly Conflict[];
}

interface Conflicting {
  readonly kind: 'conflict';
  readonly conflicts: readonly Conflict[];
}

export type ApplyResult =
  | Applied
  | Conflicting
  /**
   * Only in a dry run: the namespace of the object does not exist, so the server cannot check it.
   */
  | { readonly kind: 'unchecked' };

export interface ApplyOptions {
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/**
 * Applies one object server-side (KEP-555) as `apisvc`. Without `force`, a conflict that apisvc may
 * settle itself is settled for one version of the object only, so that what another manager writes
 * meanwhile is never overwritten unseen: it makes the version stale, and is looked at then.
 * @throws as `refusal`, except for conflicts
 */
export async function applyObject(cluster: Cluster, object: KubeObject, options: ApplyOptions): Promise<ApplyResult> {
  const { force, dryRun, signal } = options;
  const ref = refOf(object);
  let answer = await patch(cluster, object, { contentType: applyPatch, force: String(force), dryRun, signal });
  let restored: readonly Conflict[] = [];
  let looked: string | undefined;
  while (answer.status === 409) {
    const conflicts = conflictsIn(answer);
    const ofOthers = conflicts.filter(isOfOthers);
    if (!ofOthers.every(isManualEdit)) return { kind: 'conflict', conflicts: ofOthers };
    if (conflicts.length === 0 && looked === undefined) break;
    const found = await getObject(cluster, ref, signal);
    if (ofOthers.length > 0 && !(found && isApplied(found))) return { kind: 'conflict', conflicts: ofOthers };
    const version = found && (found.metadata as StoredMetadata).resourceVersion;
    // Neither the fields nor the version are in conflict.
    if (conflicts.length === 0 && version === looked) break;
    looked = version;
    const metadata = { ...object.metadata, ...(version === undefined ? {} : { resourceVersion: version }) };
    ({ answer, restored } = await applySettling(cluster, { ...object, metadata }, found, options));
  }
  if (answer.status === 200 || answer.status === 201) return { kind: 'applied', object: readJson<KubeObject>(cluster, answer), restored };
  if (dryRun && answer.status === 404 && readStatus(answer).message === `namespaces "${ref.namespace}" not found`)
    return { kind: 'unchecked' };
  throw refusal(cluster, { verb: 'patch', ref }, answer, new Date());
}

/**
 * Applies an object without force, and then with force where every conflict is with our own update
 * or a manual edit.
 * @param body has the resourceVersion of `found`, so that both requests see the same conflicts
 * @returns the last answer; `restored` are the manual edits that it overwrote
 */
async function applySettling(
  cluster: Cluster,
  body: KubeObject,
  found: KubeObject | undefined,
  { force, dryRun, signal }: ApplyOptions,
): Promise<{ readonly answer: Answer; readonly restored: readonly Conflict[] }> {
  const send = (forced: boolean): Promise<Answer> =>
    patch(cluster, body, { contentType: applyPatch, force: String(forced), dryRun, signal });
  const answer = await send(force);
  const ofOthers = conflictsIn(answer).filter(isOfOthers);
  // What a user edited in an object that apisvc did not apply stays.
  const isOurs = ofOthers.length === 0 || (found !== undefined && isApplied(found));
  const isSettled = isOurs && conflictsIn(answer).length > 0 && ofOthers.every(isManualEdit);
  return isSettled ? { answer: await send(true), restored: ofOthers } : { answer, restored: [] };
}

const applyPatch = 'application/apply-patch+yaml';
export const mergePatchType = 'application/merge-patch+json';

interface Patch extends Pick<ApplyOptions, 'dryRun' | 'signal'> {
  readonly contentType: string;
  readonly force?: string;
}

export function patch(cluster: Cluster, body: KubeObject, { contentType, force, dryRun, signal }: Patch): Promise<Answer> {
  const { resource, namespace, name } = refOf(body);
  return cluster.request({
    method: 'PATCH',
    path: resourcePath(resource, namespace, name),
    query: { fieldManager, force, fieldValidation: 'Strict', dryRun: dryRun ? 'All' : undefined },
    contentType,
    body,
    signal,
  });
}

/** Sends a JSON merge patch as `apisvc`, for objects and fields that no manifest has. */
export const sendMergePatch = (
  cluster: Cluster,
  { resource, namespace, name }: ObjectRef,
  body: object,
  signal: AbortSignal,
): Promise<Answer> =>
  cluster.request({
    method: 'PATCH',
    path: resourcePath(resource, namespace, name),
    query: { fieldManager },
    contentType: mergePatchType,
    body,
    signal,
  });

function conflictsIn(answer: Answer): readonly Conflict[] {
  if (answer.status !== 409) return [];
  const conflicts = readStatus(answer).causes.filter(({ reason }) => reason === 'FieldManagerConflict');
  return conflicts.map(({ field, message }) => ({ field, owner: message }));
}

/**
 * Fields that apisvc patched before it applied the object have an entry of their own, "apisvc" with
 * the operation Update, that kube-apiserver counts as another manager
 * (k8s.io/apimachinery/pkg/util/managedfields/internal/managedfields.go, BuildManagerIdentifier).
 */
const isOfOthers = ({ owner }: Conflict): boolean => !owner.startsWith(`conflict with "${fieldManager}" using `);

/** What `setFields` did. */
export type SetResult =
  | Applied
  | Conflicting
  /** The object was changed or deleted since it was read. */
  | { readonly kind: 'stale' };

/**
 * Changes a few fields of an object that exists. What apisvc applied before keeps its live values,
 * so that no other field is reset. An object that apisvc did not apply stays so. Without `force`,
 * nothing is changed where `conflictsOf` finds another manager.
 * @param found the object as the cluster has it; any later version of it is left unchanged
 * @param change a JSON merge patch
 * @throws as `refusal`, except for conflicts
 */
export async function setFields(cluster: Cluster, found: KubeObject, change: object, options: ApplyOptions): Promise<SetResult> {
  const { force, dryRun, signal } = options;
  const { apiVersion, kind, metadata } = found;
  const { name, namespace, uid, resourceVersion } = metadata as StoredMetadata;
  const entry = ourEntry(found);
  const owned = force ? [] : conflictsOf(found, change);
  if (owned.length > 0) return { kind: 'conflict', conflicts: owned };
  const part = entry
    ? mergePatch(extractOwned(found, entry.fieldsV1 ?? {}), change as Record<string, unknown>)
    : (change as Partial<KubeObject>);
  // The uid keeps apply from creating an object that was deleted meanwhile.
  const identity = { name, ...(namespace === undefined ? {} : { namespace }), ...(entry ? { uid } : {}), resourceVersion };
  const body = { ...part, apiVersion, kind, metadata: { ...(part.metadata as object | undefined), ...identity } } as KubeObject;
  const { answer, restored } = entry
    ? await applySettling(cluster, body, found, options)
    : { answer: await patch(cluster, body, { contentType: mergePatchType, dryRun, signal }), restored: [] };
  const conflicts = conflictsIn(answer).filter(isOfOthers);
  if (conflicts.length > 0) return { kind: 'conflict', conflicts };
  if (answer.status === 200) return { kind: 'applied', object: readJson<KubeObject>(cluster, answer), restored };
  const isGone = answer.status === 404 && readStatus(answer).about === name;
  if (answer.status === 409 || isGone) return { kind: 'stale' };
  throw refusal(cluster, { verb: 'patch', ref: refOf(found) }, answer, new Date());
}

export type StoredMetadata = KubeObject['metadata'] & { readonly uid?: string; readonly resourceVersion?: string };

/**
 * What keeps `setFields` from a change: the same conflicts that kube-apiserver finds for an object
 * that apisvc applied (KEP-555, "Conflicts"). A merge patch has none, but what another manager
 * applies would come back with its next apply. Other updates of such an object are superseded.
 * @param change a JSON merge patch
 */
export const conflictsOf = (found: KubeObject, change: object): readonly Conflict[] =>
  changedPaths(found, change).flatMap((path) => rivalsOf(found, path).map((entry) => conflictOver(path, entry)));

/** `apiservice/x .spec.caBundle: conflict with "y" using z`, one line for each conflict. */
export function describeConflicts(object: KubeObject, conflicts: readonly Conflict[]): string {
  const ref = describeRef(refOf(object));
  return conflicts.map(({ field, owner }) => `${ref} ${field}: ${owner}`).join('\n');
}

/**
 * Gives up every field that apisvc applied to an object of another owner. A field that no other
 * manager owns is removed from the object (KEP-555, "Give up ownership").
 * @param found the object as the cluster has it
 * @throws as `refusal`, also when the object was replaced meanwhile
 */
export async function releaseObject(cluster: Cluster, found: KubeObject, signal: AbortSignal): Promise<void> {
  if (!isApplied(found)) return;
  const { apiVersion, kind, metadata } = found;
  const { name, namespace, uid } = metadata as StoredMetadata;
  // The uid keeps apply from creating an object that was deleted meanwhile.
  const empty = { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid } };
  await applyObject(cluster, empty as KubeObject, { force: false, dryRun: false, signal });
}

/**
 * The record of what an object was before the first apply, for `formerAnnotation`.
 * @param after the result of a dry run of that apply
 */
export const formerOf = (before: KubeObject, after: KubeObject): string | undefined =>
  recordFormer(before, after, ourEntry(after)?.fieldsV1 ?? {});

/**
 * Whose an object is: `created` by apisvc, so that it may be deleted; `adopted`, so that it existed
 * before and can be restored; or of others.
 */
export function ownershipOf(object: KubeObject): 'created' | 'adopted' | 'foreign' {
  if (!isApplied(object)) return 'foreign';
  const { labels, annotations } = object.metadata;
  const former = annotations?.[formerAnnotation];
  if (former === undefined) return labels?.[managedByLabel] === fieldManager ? 'created' : 'adopted';
  return former === formerlyAbsent ? 'created' : 'adopted';
}

/** The fields that apisvc applied, as text to compare; empty for none. */
export const ownedFields = (object: KubeObject): string => JSON.stringify(ourEntry(object)?.fieldsV1 ?? {});
