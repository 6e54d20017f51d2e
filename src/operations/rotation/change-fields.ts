import { getObject, refOf } from '../../cluster/objects.ts';
import { type Conflict, conflictsOf, describeConflicts, setFields } from '../../cluster/ownership.ts';
import { describeRef } from '../../cluster/resources.ts';
import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { bundleCommand } from './bundle-command.ts';
import type { Rotation } from './rotation.ts';

/**
 * Changes fields of an object that exists. Another writer may change the object at the same time:
 * then the change is decided again by what the cluster has.
 * @param force whether to take the fields over from other managers
 * @throws RefusedError where another manager owns the fields, or where the object no longer exists
 */
export async function changeFields(
  rotation: Rotation,
  object: KubeObject,
  changeOf: (found: KubeObject) => object,
  force = false,
): Promise<void> {
  const { cluster, signal, forceConflicts, onProgress } = rotation;
  const name = describeRef(refOf(object));
  for (let found: KubeObject | undefined = object; found; found = await getObject(cluster, refOf(object), signal)) {
    const result = await setFields(cluster, found, changeOf(found), { force: force || forceConflicts, dryRun: false, signal });
    if (result.kind === 'stale') continue;
    if (result.kind === 'conflict') throw conflictError(rotation, found, result.conflicts);
    if (result.restored.length > 0) onProgress({ kind: 'restored', object: name, conflicts: result.restored });
    onProgress({ kind: 'applied', applied: { object: name, change: 'configured' } });
    return;
  }
  throw new RefusedError(`${name} not found: it was deleted during the rotation`);
}

/** Why `changeFields` would refuse a change; undefined where it would not. Sends nothing. */
export function changeFault(rotation: Rotation, found: KubeObject, change: object): RefusedError | undefined {
  const conflicts = rotation.forceConflicts ? [] : conflictsOf(found, change);
  return conflicts.length === 0 ? undefined : conflictError(rotation, found, conflicts);
}

function conflictError(rotation: Rotation, object: KubeObject, conflicts: readonly Conflict[]): RefusedError {
  const fix = [
    'Take over the fields with --force-conflicts, and stop the other field managers from setting them.',
    ...(object.kind === 'APIService'
      ? [`Or put the CAs into Git, and run the same command again. The value of caBundle: ${bundleCommand(rotation)}`]
      : []),
  ];
  return new RefusedError(
    `conflict: other field managers own fields of ${describeRef(refOf(object))}\n${describeConflicts(object, conflicts)}`,
    { fix: fix.join('\n') },
  );
}
