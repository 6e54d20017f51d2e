import type { Conflict } from '../../cluster/field-owners.ts';
import { refOf } from '../../cluster/objects.ts';
import { conflictsOf, describeConflicts, setFields } from '../../cluster/ownership.ts';
import { describeRef } from '../../cluster/resources.ts';
import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { bundleCommand } from './bundle-command.ts';
import { type Rotation, wayBack } from './rotation.ts';

/** What a change needs of a rotation. */
export type Changing = Pick<
  Rotation,
  'cluster' | 'signal' | 'forceConflicts' | 'onProgress' | 'renewLease' | 'caFiles' | 'direction' | 'undo'
>;

interface Conditions {
  /** Whether to take the fields over from other managers. */
  readonly force?: boolean;
  /**
   * Whether what the change depends on was seen just now. The renewal of the Lease may take long,
   * and the machine may have been suspended.
   */
  readonly isFresh?: () => boolean;
}

/**
 * Changes fields of an object that exists, as the holder of the Lease: it is renewed just before.
 * @param change a JSON merge patch
 * @returns false where another writer changed or deleted the object since it was read, or where it
 * is no longer fresh. It is unchanged then, and the caller looks again at everything that the
 * change depends on
 * @throws RefusedError where another manager owns the fields, or another process has the Lease
 */
export async function changeFields(
  rotation: Changing,
  found: KubeObject,
  change: object,
  { force = false, isFresh = () => true }: Conditions = {},
): Promise<boolean> {
  const { cluster, signal, forceConflicts, onProgress, renewLease } = rotation;
  const object = describeRef(refOf(found));
  await renewLease();
  if (!isFresh()) return false;
  const result = await setFields(cluster, found, change, { force: force || forceConflicts, dryRun: false, signal });
  if (result.kind === 'stale') return false;
  if (result.kind === 'conflict') throw conflictError(rotation, found, result.conflicts);
  if (result.restored.length > 0) onProgress({ kind: 'restored', object, conflicts: result.restored });
  onProgress({ kind: 'applied', applied: { object, change: 'configured' } });
  return true;
}

/** Why `changeFields` would refuse a change; undefined where it would not. Sends nothing. */
export function changeFault(rotation: Changing, found: KubeObject, change: object): RefusedError | undefined {
  const conflicts = rotation.forceConflicts ? [] : conflictsOf(found, change);
  return conflicts.length === 0 ? undefined : conflictError(rotation, found, conflicts);
}

function conflictError(rotation: Changing, object: KubeObject, conflicts: readonly Conflict[]): RefusedError {
  const fix = [
    'Take over the fields with --force-conflicts, and stop the other field managers from setting them.',
    ...(object.kind === 'APIService'
      ? [`Or put the CAs into Git, and run the same command again. To print the value of caBundle: ${bundleCommand(rotation)}`]
      : []),
    ...wayBack(rotation),
  ];
  return new RefusedError(
    `conflict: other field managers own fields of ${describeRef(refOf(object))}\n${describeConflicts(object, conflicts)}`,
    { fix: fix.join('\n') },
  );
}
