import type { KubeObject } from '../manifests/types.ts';
import type { Cluster } from './cluster.ts';
import { refOf } from './objects.ts';
import { describeRef, resourcePath } from './resources.ts';
import { readJson, readStatus, refusal } from './status.ts';

/** Owner of every field that apisvc applies. */
export const fieldManager = 'apisvc';

/** One field that somebody else owns with another value. */
export interface Conflict {
  /** `.spec.caBundle` */
  readonly field: string;
  /** The words of kube-apiserver: manager, API version and when. */
  readonly owner: string;
}

export type ApplyResult =
  | { readonly kind: 'applied'; readonly object: KubeObject; readonly created: boolean }
  | { readonly kind: 'conflict'; readonly conflicts: readonly Conflict[] }
  /** Only in a dry run: what the object depends on, its namespace for instance, is not there yet, so the server can't check it. */
  | { readonly kind: 'unchecked' };

export interface ApplyOptions {
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/**
 * Server-side apply (KEP-555) of one object as `apisvc`.
 * @throws what `refusal` says, conflicts excepted
 */
export async function applyObject(cluster: Cluster, object: KubeObject, { force, dryRun, signal }: ApplyOptions): Promise<ApplyResult> {
  const ref = refOf(object);
  const answer = await cluster.request({
    method: 'PATCH',
    path: resourcePath(ref.resource, ref.namespace, ref.name),
    query: { fieldManager, force: String(force), fieldValidation: 'Strict', dryRun: dryRun ? 'All' : undefined },
    contentType: 'application/apply-patch+yaml',
    body: object,
    signal,
  });
  if (answer.status === 200 || answer.status === 201) {
    return { kind: 'applied', object: readJson<KubeObject>(cluster, answer), created: answer.status === 201 };
  }
  if (answer.status === 409) {
    const conflicts = readStatus(answer).causes.filter(({ reason }) => reason === 'FieldManagerConflict');
    if (conflicts.length > 0) return { kind: 'conflict', conflicts: conflicts.map(({ field, message }) => ({ field, owner: message })) };
  }
  if (dryRun && answer.status === 404 && readStatus(answer).message === `namespaces "${ref.namespace}" not found`)
    return { kind: 'unchecked' };
  throw refusal(cluster, { verb: 'patch', ref }, answer, new Date());
}

/** `.spec.caBundle of apiservice/x: conflict with "y" using z`, one line a conflict. */
export function describeConflicts(object: KubeObject, conflicts: readonly Conflict[]): string {
  const ref = describeRef(refOf(object));
  return conflicts.map(({ field, owner }) => `${ref} ${field}: ${owner}`).join('\n');
}
