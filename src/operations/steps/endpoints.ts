import { listObjects, observe, slicesOf } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewEndpoints } from '../../snapshot/views.ts';
import type { Step } from '../runner.ts';
import { podCommands, readNeeds, type Waiting, waitFor } from '../wait.ts';

/** Waits until a Service has a ready endpoint. */
export function endpointsStep(waiting: Waiting, namespace: string, service: string): Step {
  return {
    id: 'endpoints',
    title: 'Waiting for endpoints',
    needs: () => readNeeds({ resource: resources.EndpointSlice, namespace, name: '*' }),
    async observe() {
      const slices = await listObjects(waiting.cluster, slicesOf({ namespace, name: service }), waiting.signal);
      return { state: hasReadyEndpoint(slices) ? 'done' : 'pending' };
    },
    run: () => waitForEndpoints(waiting, namespace, service),
  };
}

/** Watches until a Service has a ready endpoint. @throws DeadlineError */
export const waitForEndpoints = (waiting: Waiting, namespace: string, service: string): Promise<void> =>
  waitFor(`Service ${namespace}/${service} to have a ready endpoint`, podCommands(namespace), waiting, async (report) => {
    for await (const slices of observe(waiting.cluster, slicesOf({ namespace, name: service }), waiting.signal)) {
      if (hasReadyEndpoint(slices)) return;
      report(`0 of ${slices.flatMap(viewEndpoints).length} endpoints ready`);
    }
  });

const hasReadyEndpoint = (slices: readonly KubeObject[]): boolean => slices.flatMap(viewEndpoints).some(({ ready }) => ready);
