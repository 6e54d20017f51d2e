import { ApiFailure, conflict, notSimulated } from '../shared/failure.ts';
import { kinds } from './kinds.ts';
import type { DeleteOptions } from './options.ts';
import { timestamp } from './store.ts';
import type { Kind, Obj, Store } from './types.ts';

/** What became of an object that somebody deleted. */
export interface Deleted {
  readonly object: Obj;
  /** False when it stays for a while: it has finalizers, or time to end. */
  readonly gone: boolean;
}

const immortal = ['default', 'kube-system', 'kube-public'];

/**
 * Deletes an object, or begins to (k8s.io/apiserver/pkg/registry/rest/delete.go, BeforeDelete).
 * @throws ApiFailure 403 for a namespace that must stay; 409 when a precondition does not hold; 501
 * unless what it owns is to go after it
 */
export function deleteObject(store: Store, kind: Kind, object: Obj, options: DeleteOptions, now: Date): Deleted {
  checkPreconditions(kind, object, options);
  const { propagationPolicy = 'Background', orphanDependents = false } = options;
  if (propagationPolicy !== 'Background' || orphanDependents)
    throw notSimulated('Deletions with another propagationPolicy than Background');
  const { metadata } = object;
  const mode = { dryRun: (options.dryRun ?? []).length > 0 };
  if (kind.kind === 'Namespace') return terminate(store, kind, object, now, mode);
  const graceSeconds = kind.kind === 'Pod' ? graceOf(object, options) : 0;
  if (!metadata.finalizers?.length && graceSeconds === 0) {
    const deleted = store.delete(kind, metadata.namespace, metadata.name, mode);
    return { object: kind.kind === 'Pod' ? ending(deleted, now, 0) : deleted, gone: true };
  }
  const pending = metadata.deletionTimestamp && (metadata.deletionGracePeriodSeconds ?? 0) <= graceSeconds;
  return { object: pending ? object : store.update(kind, ending(object, now, graceSeconds), mode), gone: false };
}

/** Marks an object as being deleted. */
function ending(object: Obj, now: Date, graceSeconds: number): Obj {
  const { metadata } = object;
  return {
    ...object,
    metadata: {
      ...metadata,
      deletionTimestamp: timestamp(new Date(now.getTime() + graceSeconds * 1000)),
      deletionGracePeriodSeconds: graceSeconds,
      ...(metadata.generation && !metadata.deletionTimestamp ? { generation: metadata.generation + 1 } : {}),
    },
  };
}

/** A namespace goes when all that is in it has gone. */
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
 * k8s.io/kubernetes/pkg/registry/core/pod/strategy.go, CheckGracefulDelete: only a kubelet needs
 * time.
 */
function graceOf({ spec, status }: Obj, { gracePeriodSeconds }: DeleteOptions): number {
  if (!spec.nodeName || ['Failed', 'Succeeded'].includes(status?.phase)) return 0;
  return Math.max(gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30, 0);
}

function checkPreconditions(
  { group, kind }: Kind,
  { metadata }: Obj,
  { preconditions: { uid, resourceVersion } = {} }: DeleteOptions,
): void {
  // Here the message names the kind and not its plural, as the real one does.
  const named = { group, kind, plural: kind };
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(named, metadata.name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(named, metadata.name, why);
  }
}

/** Whether an update took away the last that kept an object which is being deleted. */
export const isFinished = ({ metadata }: Obj): boolean =>
  metadata.deletionTimestamp !== undefined && !metadata.finalizers?.length && metadata.deletionGracePeriodSeconds === 0;

/** Objects that an object with this uid owns. */
export const dependentsOf = (store: Store, uid: string): { readonly kind: Kind; readonly object: Obj }[] =>
  kinds.flatMap((kind) =>
    store
      .list(kind)
      .filter(({ metadata }) => (metadata.ownerReferences ?? []).some((owner: Obj) => owner.uid === uid))
      .map((object) => ({ kind, object })),
  );
