import { getObject, observe } from '../../cluster/objects.ts';
import { type ObjectRef, resources } from '../../cluster/resources.ts';
import { viewApiService } from '../../snapshot/views.ts';
import type { Step } from '../runner.ts';
import { readNeeds, type Waiting, waitFor } from '../wait.ts';

/** Waits until kube-apiserver reports an APIService as Available. */
export function availableStep(waiting: Waiting, name: string): Step {
  const ref: ObjectRef = { resource: resources.APIService, namespace: undefined, name };
  return {
    id: `available/${name}`,
    title: `Waiting for APIService ${name} to become Available`,
    needs: () => readNeeds(ref),
    async observe() {
      const found = await getObject(waiting.cluster, ref, waiting.signal);
      return { state: found && viewApiService(found).available?.status === 'True' ? 'done' : 'pending' };
    },
    run: () => waitForAvailable(waiting, name),
  };
}

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
