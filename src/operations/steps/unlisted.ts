import { getObject } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { listedOf } from '../../snapshot/collect/listed.ts';
import type { Step } from '../runner.ts';
import { poll, type Waiting, waitFor } from '../wait.ts';

/**
 * Waits until discovery no longer lists APIs, so that no client and no controller requests them
 * while their server is removed. An APIService that exists again belongs to someone else.
 */
export function unlistedStep(waiting: Waiting, names: readonly string[]): Step {
  const { cluster, signal } = waiting;
  const listed = async (): Promise<readonly string[]> => {
    const look = listedOf({ cluster, signal });
    const found = await Promise.all(
      names.map(async (name) => {
        if ((await look(name)).state !== 'seen') return [];
        return (await getObject(cluster, { resource: resources.APIService, namespace: undefined, name }, signal)) ? [] : [name];
      }),
    );
    return found.flat();
  };
  return {
    id: 'unlisted',
    title: 'Waiting for discovery',
    needs: () => [],
    observe: async () => ({ state: (await listed()).length === 0 ? 'done' : 'pending' }),
    run: () =>
      waitFor(`discovery to stop listing ${names.join(', ')}`, 'kubectl get --raw /apis', waiting, async (report) => {
        await poll({ signal, report }, async () => {
          const left = await listed();
          if (left.length === 0) return true;
          report(`still listed: ${left.join(', ')}`);
          return undefined;
        });
      }),
  };
}
