import { deleteObject } from '../../cluster/deletion.ts';
import { getObject } from '../../cluster/objects.ts';
import { ownershipOf } from '../../cluster/ownership.ts';
import { describeRef, type ObjectRef, resources } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';
import type { RemovedObject } from '../progress.ts';
import { poll, untilFresh, type Waiting, waitFor } from '../wait.ts';
import { type Contents, contentsOf } from './contents.ts';
import { type RemoveStep, waitUntilGone } from './remove.ts';

/**
 * Deletes a Namespace that apisvc created, once it holds nothing else. Objects whose owners were
 * deleted are waited for.
 */
export function namespaceStep(waiting: Waiting, namespace: string): RemoveStep {
  const { cluster, signal, onProgress } = waiting;
  const ref: ObjectRef = { resource: resources.Namespace, namespace: undefined, name: namespace };
  const removed: RemovedObject[] = [];
  const report = (each: Omit<RemovedObject, 'object'>): void => {
    removed.push({ object: describeRef(ref), ...each });
    onProgress({ kind: 'removed', removed: { object: describeRef(ref), ...each } });
  };
  const isOurs = (found: KubeObject | undefined): found is KubeObject => found !== undefined && ownershipOf(found) === 'created';
  return {
    id: 'namespace',
    title: `Checking namespace ${namespace}`,
    needs: () => ['get', 'delete'].map((verb) => ({ verb, ref })),
    async observe() {
      return { state: isOurs(await getObject(cluster, ref, signal)) ? 'pending' : 'done' };
    },
    async run() {
      const leaving = await untilFresh(signal, async (): Promise<KubeObject | 'stays' | undefined> => {
        const found = await getObject(cluster, ref, signal);
        if (!isOurs(found)) return 'stays';
        if (isDeleting(found)) return found;
        const why = whyKept(await settledContents(waiting, namespace));
        if (why !== undefined) {
          report({ change: 'left', reason: why });
          return 'stays';
        }
        const result = await deleteObject(cluster, found, { dryRun: false, signal });
        if (result === 'deleted') report({ change: 'deleted' });
        // A stale one may belong to others by now.
        return result === 'stale' ? undefined : found;
      });
      if (leaving !== 'stays') await waitUntilGone(waiting, { ref, found: leaving });
    },
    removed: () => removed,
  };
}

const isDeleting = ({ metadata }: KubeObject): boolean => 'deletionTimestamp' in metadata;

/** Waits until controllers have deleted what belonged to deleted objects. */
async function settledContents(waiting: Waiting, namespace: string): Promise<Contents> {
  const { cluster, signal } = waiting;
  let contents: Contents | undefined;
  await waitFor(`namespace ${namespace} to be empty`, `kubectl -n ${namespace} get all`, waiting, async (report) => {
    await poll({ signal, report }, async () => {
      contents = await contentsOf(cluster, namespace, new Set(), signal);
      if (contents.leaving.length === 0 || whyKept(contents) !== undefined) return true;
      report(`being deleted: ${some(contents.leaving)}`);
      return undefined;
    });
  });
  if (!contents) throw new Error('the namespace was not looked at');
  return contents;
}

/** Why a namespace must stay; undefined when it may be deleted. */
export function whyKept({ kept, unlisted }: Contents): string | undefined {
  if (kept.length > 0) return `it contains ${some(kept)}`;
  return unlisted.length > 0 ? `failed to list ${some(unlisted)}, so it may contain other objects` : undefined;
}

const shown = 5;

const some = (names: readonly string[]): string =>
  names.length > shown ? `${names.slice(0, shown).join(', ')} and ${names.length - shown} more` : names.join(', ');
