import { getObject, observe } from '../../cluster/objects.ts';
import { type ObjectRef, resources } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import type { Step } from '../runner.ts';
import { readNeeds, type Waiting, waitFor } from '../wait.ts';

/** Waits until kube-apiserver reports APIServices as Available. */
export function availableStep(waiting: Waiting, names: readonly string[]): Step {
  const refs = names.map((name): ObjectRef => ({ resource: resources.APIService, namespace: undefined, name }));
  return {
    id: 'available',
    title: 'Waiting for the API to become Available',
    needs: () => refs.flatMap(readNeeds),
    async observe() {
      const found = await Promise.all(refs.map((ref) => getObject(waiting.cluster, ref, waiting.signal)));
      return { state: found.every(isAvailable) ? 'done' : 'pending' };
    },
    async run() {
      await Promise.all(names.map((name) => waitForAvailable(waiting, name)));
    },
  };
}

const isAvailable = (found: KubeObject | undefined): boolean => found !== undefined && viewApiService(found).available?.status === 'True';

/** Watches until kube-apiserver reports an APIService as Available. @throws DeadlineError */
export const waitForAvailable = (waiting: Waiting, name: string): Promise<void> =>
  waitFor(`APIService ${name} to become Available`, `apisvc verify ${name}`, waiting, async (report) => {
    const one = { resource: resources.APIService, fieldSelector: `metadata.name=${name}` };
    for await (const [found] of observe(waiting.cluster, one, waiting.signal)) {
      const available = found && viewApiService(found).available;
      if (available?.status === 'True') return;
      report(available ? `Available=${available.status} (${available.reason}): ${available.message}` : 'no Available condition yet');
    }
  });
