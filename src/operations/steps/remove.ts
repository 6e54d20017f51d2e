import { deleteAnyObject, deleteObject } from '../../cluster/deletion.ts';
import { isApplied } from '../../cluster/field-owners.ts';
import { hasLostValues } from '../../cluster/former.ts';
import { getObject } from '../../cluster/objects.ts';
import { describeRef } from '../../cluster/resources.ts';
import { restoreObject } from '../../cluster/restore.ts';
import { RefusedError } from '../../errors.ts';
import { projectAnnotation } from '../../manifests/labels.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { type Json, textOf } from '../../snapshot/views.ts';
import type { RemovedObject } from '../progress.ts';
import type { Step } from '../runner.ts';
import { poll, untilFresh, type Waiting, waitFor } from '../wait.ts';
import { type BeforeWrite, isRotated } from '../write-lock.ts';
import { uidOf } from './contents.ts';
import type { Target } from './target.ts';

interface Removing {
  readonly id: string;
  readonly title: string;
  /** In the order in which they are removed. */
  readonly targets: readonly Target[];
  /** Called just before each write of an object that a rotation writes too. It may refuse. */
  readonly beforeWrite?: BeforeWrite;
}

export interface RemoveStep extends Step {
  /** What the run did. */
  removed(): readonly RemovedObject[];
}

/** Deletes or restores objects, and waits until the deleted ones are gone. */
export function removeStep(waiting: Waiting, { id, title, targets, beforeWrite }: Removing): RemoveStep {
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
      const leaving: Target[] = [];
      for (const target of targets) {
        if (isRotated(target.found)) await beforeWrite?.();
        if (target.action === 'restore') await restore(waiting, target, report);
        if (target.action !== 'delete') continue;
        const result = await remove(waiting, target);
        if (result === 'deleted') report({ object: describeRef(target.ref), change: 'deleted' });
        if (result === 'replaced') report({ object: describeRef(target.ref), change: 'left', reason: replaced });
        else leaving.push(target);
      }
      for (const target of leaving) await waitUntilGone(waiting, target);
    },
    removed: () => removed,
  };
}

const isPending = (target: Target, present: KubeObject | undefined): boolean =>
  present !== undefined && isPlanned(target, present) && (target.action === 'delete' || isApplied(present));

/** Whether this is the object of the plan, and still belongs to the same project. */
const isPlanned = ({ found }: Target, present: KubeObject): boolean =>
  uidOf(present) === uidOf(found) && projectIn(present) === projectIn(found);

const projectIn = ({ metadata }: KubeObject): string | undefined => metadata.annotations?.[projectAnnotation];

const replaced = 'has been replaced or taken over since it was found';

const remove = ({ cluster, signal }: Waiting, target: Target): Promise<'deleted' | 'gone' | 'replaced'> =>
  untilFresh(signal, async () => {
    const { ref, found, ofAnybody = false } = target;
    const present = await getObject(cluster, ref, signal);
    if (!present) return 'gone';
    if (!isPlanned(target, present)) return 'replaced';
    if (ofAnybody && versionOf(present) !== versionOf(found)) {
      throw new RefusedError(`${describeRef(ref)} has changed since it was found, so it is kept`, {
        fix: 'Run the same command again.',
      });
    }
    const result = await (ofAnybody ? deleteAnyObject : deleteObject)(cluster, present, { dryRun: false, signal });
    return result === 'stale' ? undefined : result;
  });

const versionOf = ({ metadata }: KubeObject): string => textOf((metadata as Json).resourceVersion);

async function restore({ cluster, signal }: Waiting, target: Target, report: (removed: RemovedObject) => void): Promise<void> {
  const { ref } = target;
  await untilFresh(signal, async () => {
    const found = await getObject(cluster, ref, signal);
    if (!found || !isApplied(found)) return true;
    if (!isPlanned(target, found)) {
      report({ object: describeRef(ref), change: 'left', reason: replaced });
      return true;
    }
    const result = await restoreObject(cluster, found, { dryRun: false, signal });
    if (result.kind === 'stale') return undefined;
    const reason = hasLostValues(found) ? { reason: 'its previous data was not recorded, so it is not restored' } : {};
    report({ object: describeRef(ref), change: 'restored', ...reason });
    return true;
  });
}

/** Waits until an object that was deleted is gone. @throws DeadlineError with its finalizers */
export const waitUntilGone = (waiting: Waiting, { ref, found }: Pick<Target, 'ref' | 'found'>): Promise<void> =>
  waitFor(`${describeRef(ref)} to be deleted`, showCommand(ref), waiting, async (report) => {
    const { cluster, signal } = waiting;
    await poll({ signal, report }, async () => {
      const present = await getObject(cluster, ref, signal);
      if (!present || uidOf(present) !== uidOf(found)) return true;
      report(reasonOf(present));
      return undefined;
    });
  });

const showCommand = ({ resource, namespace, name }: Target['ref']): string =>
  `kubectl ${namespace === undefined ? '' : `-n ${namespace} `}get ${resource.plural} ${name} -o yaml`;

/** The finalizers and, of a Namespace, the conditions: what keeps an object. */
function reasonOf({ metadata, spec, status }: KubeObject & Json): string {
  const finalizers = [...((metadata as Json).finalizers ?? []), ...(spec?.finalizers ?? [])].map(textOf);
  const conditions = (status?.conditions ?? []).filter((each: Json) => each.status === 'True' && /^Namespace/.test(textOf(each.type)));
  const messages = conditions.map(({ type, message }: Json) => `${textOf(type)}: ${textOf(message)}`);
  const kept = finalizers.length > 0 ? [`it has the finalizer${finalizers.length === 1 ? '' : 's'} ${finalizers.join(', ')}`] : [];
  return [...kept, ...messages].join('; ') || 'not deleted yet';
}
