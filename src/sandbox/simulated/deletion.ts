import { ApiFailure, conflict, notSimulated } from '../shared/failure.ts';
import { timestamp } from '../shared/timestamp.ts';
import { kinds } from './kinds.ts';
import type { DeleteOptions } from './options.ts';
import type { Kind, Obj, Store } from './types.ts';

export interface Deleted {
  readonly object: Obj;
  /** False while finalizers or a grace period keep it. */
  readonly gone: boolean;
}

const immortal = ['default', 'kube-system', 'kube-public'];

/**
 * Deletes an object, or marks it for deletion (k8s.io/apiserver/pkg/registry/rest/delete.go,
 * BeforeDelete).
 * @throws ApiFailure 403 for a namespace that must stay; 409 for a precondition that does not hold;
 *   501 for another propagationPolicy than Background
 */
export function deleteObject(store: Store, kind: Kind, object: Obj, options: DeleteOptions, now: Date): Deleted {
  const { metadata } = object;
  for (const [field, value] of Object.entries(options.preconditions ?? {}))
    if (value !== metadata[field])
      throw conflict(kind, metadata.name, `the ${field} in the precondition (${value}) is not that of the object (${metadata[field]})`);
  if ((options.propagationPolicy ?? 'Background') !== 'Background')
    throw notSimulated('Deletions with a propagationPolicy other than Background');
  const mode = { dryRun: (options.dryRun ?? []).length > 0 };
  if (kind.kind === 'Namespace') return terminate(store, kind, object, now, mode);
  const graceSeconds = kind.kind === 'Pod' ? graceOf(object, options) : 0;
  if (!metadata.finalizers?.length && graceSeconds === 0)
    return { object: store.delete(kind, metadata.namespace, metadata.name, mode), gone: true };
  const pending = metadata.deletionTimestamp && (metadata.deletionGracePeriodSeconds ?? 0) <= graceSeconds;
  return { object: pending ? object : store.update(kind, ending(object, now, graceSeconds), mode), gone: false };
}

function ending(object: Obj, now: Date, graceSeconds: number): Obj {
  const { metadata } = object;
  const deletionTimestamp = timestamp(new Date(now.getTime() + graceSeconds * 1000));
  return { ...object, metadata: { ...metadata, deletionTimestamp, deletionGracePeriodSeconds: graceSeconds } };
}

/** A namespace is deleted once it is empty. */
function terminate(store: Store, kind: Kind, object: Obj, now: Date, mode: { readonly dryRun: boolean }): Deleted {
  const { metadata } = object;
  if (immortal.includes(metadata.name)) {
    const about = { name: metadata.name, kind: kind.plural };
    throw new ApiFailure(403, 'Forbidden', `namespaces "${metadata.name}" is forbidden: this namespace may not be deleted`, about);
  }
  const deletionTimestamp = metadata.deletionTimestamp ?? timestamp(now);
  const marked = { ...object, metadata: { ...metadata, deletionTimestamp }, status: { ...object.status, phase: 'Terminating' } };
  return { object: store.update(kind, marked, mode), gone: false };
}

/**
 * Only a kubelet needs time (k8s.io/kubernetes/pkg/registry/core/pod/strategy.go,
 * CheckGracefulDelete).
 */
function graceOf({ spec, status }: Obj, { gracePeriodSeconds }: DeleteOptions): number {
  if (!spec.nodeName || ['Failed', 'Succeeded'].includes(status?.phase)) return 0;
  return Math.max(gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30, 0);
}

/** Whether an update removed the last finalizer of an object that is being deleted. */
export const isFinished = ({ metadata }: Obj): boolean =>
  metadata.deletionTimestamp !== undefined && !metadata.finalizers?.length && metadata.deletionGracePeriodSeconds === 0;

/** The objects that an owner with this uid owns. */
export const dependentsOf = (store: Store, uid: string): { readonly kind: Kind; readonly object: Obj }[] =>
  kinds.flatMap((kind) =>
    store
      .list(kind)
      .filter(({ metadata }) => (metadata.ownerReferences ?? []).some((owner: Obj) => owner.uid === uid))
      .map((object) => ({ kind, object })),
  );
