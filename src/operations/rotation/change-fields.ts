import { getObject, refOf } from '../../cluster/objects.ts';
import { describeConflicts, setFields } from '../../cluster/ownership.ts';
import { describeRef } from '../../cluster/resources.ts';
import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import type { Rotation } from './rotation.ts';

/**
 * Changes fields of an object that exists. Another writer may change the object at the same time:
 * then the change is decided again by what the cluster has.
 * @param force whether to take the fields over from other managers
 * @throws RefusedError where another manager owns the fields, or where the object no longer exists
 */
export async function changeFields(
  { cluster, signal, forceConflicts, onProgress }: Rotation,
  object: KubeObject,
  changeOf: (found: KubeObject) => object,
  force = false,
): Promise<void> {
  const name = describeRef(refOf(object));
  for (let found: KubeObject | undefined = object; found; found = await getObject(cluster, refOf(object), signal)) {
    const result = await setFields(cluster, found, changeOf(found), { force: force || forceConflicts, dryRun: false, signal });
    if (result.kind === 'stale') continue;
    if (result.kind === 'conflict') {
      throw new RefusedError(`conflict: other field managers own fields of ${name}\n${describeConflicts(object, result.conflicts)}`, {
        fix: 'Take over the fields with --force-conflicts, or stop the other field managers from setting them.',
      });
    }
    if (result.restored.length > 0) onProgress({ kind: 'restored', object: name, conflicts: result.restored });
    onProgress({ kind: 'applied', applied: { object: name, change: 'configured' } });
    return;
  }
  throw new RefusedError(`${name} not found: it was deleted during the rotation`);
}
