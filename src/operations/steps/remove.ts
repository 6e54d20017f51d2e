import type { Cluster } from '../../cluster/cluster.ts';
import { hasLostValues } from '../../cluster/former.ts';
import { getObject } from '../../cluster/objects.ts';
import { deleteAnyObject, deleteObject, isApplied, restoreObject } from '../../cluster/ownership.ts';
import { describeRef } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { type Json, textOf } from '../../snapshot/views.ts';
import type { RemovedObject } from '../progress.ts';
import type { Step } from '../runner.ts';
import type { Target } from '../unregister/find.ts';
import { poll, type Waiting, waitFor } from '../wait.ts';

interface Removing {
  readonly id: string;
  readonly title: string;
  /** In the order in which they are removed. */
  readonly targets: readonly Target[];
  /** Whether the objects may be of anybody, because the user agreed. */
  readonly ofAnybody?: boolean;
}

export interface RemoveStep extends Step {
  /** What the run did. */
  removed(): readonly RemovedObject[];
}

/** Deletes or restores objects, and waits until the deleted ones are gone. */
export function removeStep(waiting: Waiting, { id, title, targets, ofAnybody = false }: Removing): RemoveStep {
  const { cluster, signal, onProgress } = waiting;
  const removed: RemovedObject[] = [];
  const read = ({ ref }: Target) => getObject(cluster, ref, signal);
  const report = (each: RemovedObject): void => {
    removed.push(each);
    onProgress({ kind: 'removed', removed: each });
  };
  return {
    id,
    title,
    needs: () => targets.flatMap(({ ref, action }) => ['get', action === 'delete' ? 'delete' : 'patch'].map((verb) => ({ verb, ref }))),
    async observe() {
      const present = await Promise.all(targets.map(read));
      return { state: targets.some((target, index) => isPending(target, present[index])) ? 'pending' : 'done' };
    },
    async run() {
      for (const target of targets) {
        const object = describeRef(target.ref);
        if (target.action === 'restore') await restore(waiting, target, report);
        else if (await deleteOne(cluster, await read(target), { ofAnybody, signal })) report({ object, change: 'deleted' });
      }
      for (const target of targets.filter(({ action }) => action === 'delete')) await waitUntilGone(waiting, target);
    },
    removed: () => removed,
  };
}

const isPending = ({ action }: Target, present: KubeObject | undefined): boolean =>
  present !== undefined && (action === 'delete' || isApplied(present));

async function deleteOne(
  cluster: Cluster,
  found: KubeObject | undefined,
  { ofAnybody, signal }: { readonly ofAnybody: boolean; readonly signal: AbortSignal },
): Promise<boolean> {
  if (!found) return false;
  return (ofAnybody ? deleteAnyObject : deleteObject)(cluster, found, { dryRun: false, signal });
}

/** Controllers change objects at any time, so a stale object is read again. */
async function restore({ cluster, signal }: Waiting, { ref }: Target, report: (removed: RemovedObject) => void): Promise<void> {
  await poll({ signal, firstMs: 100, longestMs: 2_000, answered: true }, async () => {
    const found = await getObject(cluster, ref, signal);
    if (!found || !isApplied(found)) return true;
    const result = await restoreObject(cluster, found, { dryRun: false, signal });
    if (result.kind === 'stale') return undefined;
    const reason = hasLostValues(found) ? { reason: 'its previous data was not recorded and is not restored' } : {};
    report({ object: describeRef(ref), change: 'restored', ...reason });
    return true;
  });
}

/** Waits until an object that was deleted is gone. @throws DeadlineError with its finalizers */
export const waitUntilGone = (waiting: Waiting, { ref, found }: Pick<Target, 'ref' | 'found'>): Promise<void> =>
  waitFor(`${describeRef(ref)} to be gone`, showCommand(ref), waiting, async (report) => {
    const { cluster, signal } = waiting;
    await poll({ signal, firstMs: 100, longestMs: 2_000, answered: true, report }, async () => {
      const present = await getObject(cluster, ref, signal);
      if (!present || uid(present) !== uid(found)) return true;
      report(reasonOf(present));
      return undefined;
    });
  });

const showCommand = ({ resource, namespace, name }: Target['ref']): string =>
  `kubectl ${namespace === undefined ? '' : `-n ${namespace} `}get ${resource.plural} ${name} -o yaml`;

const uid = ({ metadata }: KubeObject): string => textOf((metadata as Json).uid);

/** The finalizers and, of a Namespace, the conditions: what keeps an object. */
function reasonOf({ metadata, spec, status }: KubeObject & Json): string {
  const finalizers = [...((metadata as Json).finalizers ?? []), ...(spec?.finalizers ?? [])].map(textOf);
  const conditions = (status?.conditions ?? []).filter((each: Json) => each.status === 'True' && /^Namespace/.test(textOf(each.type)));
  const messages = conditions.map(({ type, message }: Json) => `${textOf(type)}: ${textOf(message)}`);
  const kept = finalizers.length > 0 ? [`it has the finalizer${finalizers.length === 1 ? '' : 's'} ${finalizers.join(', ')}`] : [];
  return [...kept, ...messages].join('; ') || 'not deleted yet';
}
