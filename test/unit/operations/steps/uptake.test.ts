import { expect, test } from 'vitest';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import { uptakeStep } from '../../../../src/operations/steps/uptake.ts';
import { answer, never, status } from '../../cluster/kube-api.ts';
import { deadlineIn, rejection, waitingFor } from '../waiting.ts';

/** What kube-apiserver says in this situation. */
interface Situation {
  /** undefined if they may not be listed. */
  readonly leases: readonly KubeObject[] | undefined;
  /** The depth of the queue at each look; the last one stays. undefined if it may not be read. */
  readonly depths: readonly number[] | undefined;
  readonly signal?: AbortSignal;
}

async function situation({ leases, depths, signal = never }: Situation) {
  let looks = 0;
  const pauses: number[] = [];
  const forbidden = status(403, 'Forbidden', 'forbidden: User "x" cannot do it');
  const made = await waitingFor(leases ?? [], [], signal, ({ url }, response) => {
    if (url === '/metrics') {
      const depth = depths?.[Math.min(looks, depths.length - 1)];
      looks += 1;
      if (depth === undefined) answer(response, 403, forbidden);
      else response.end(metrics(depth));
    } else if (url.includes('/apiservices')) answer(response, 200, { metadata: { resourceVersion: '1' }, items: [] });
    else if (leases === undefined) answer(response, 403, forbidden);
    else return false;
    return true;
  });
  const pause = async (ms: number, over: AbortSignal): Promise<void> => {
    over.throwIfAborted();
    pauses.push(ms);
    await new Promise((resolve) => setTimeout(resolve));
  };
  const step = uptakeStep(made.waiting, async () => false, { pause });
  return { ...made, step, pauses, looks: () => looks };
}

const metrics = (depth: number): string =>
  `workqueue_depth{name="APIServiceRegistrationController"} ${depth}\nworkqueue_longest_running_processor_seconds{name="APIServiceRegistrationController"} 0\n`;

test.each([
  ['may not be listed', undefined],
  ['do not exist', []],
])('where Leases %s, the queue of kube-apiserver is asked after the wait', async (_, leases) => {
  const { step, pauses, states, looks } = await situation({ leases, depths: [2, 1, 0] });
  await step.run();
  expect(pauses).toEqual([60_000, 500, 500]);
  expect(looks()).toBe(3);
  expect(states()).toEqual(['kube-apiserver is still reading the OpenAPI document of another server']);
});

test('a queue that may not be read is not waited for', async () => {
  const { step, pauses } = await situation({ leases: undefined, depths: undefined });
  await step.run();
  expect(pauses).toEqual([60_000]);
});

test('a queue that never gets empty is waited for until what came before is picked up', async () => {
  const { step, pauses, progress } = await situation({ leases: undefined, depths: [1] });
  await step.run();
  expect(pauses).toEqual([60_000, ...Array(240).fill(500)]);
  expect(progress.at(-1)).toEqual({
    kind: 'note',
    what: 'APIServices still wait for kube-apiserver after 120s; continuing, because each takes at most 60s and those that came before are done',
  });
});

test('the deadline of the command ends the wait for a queue that never gets empty', async () => {
  const { step } = await situation({ leases: undefined, depths: [1], signal: deadlineIn(300) });
  expect(await rejection(step.run())).toMatchObject({
    exitCode: 124,
    message:
      'timed out after 1s, waiting for every kube-apiserver to trust both CAs; last state: kube-apiserver is still reading the OpenAPI document of another server',
    fix: expect.stringMatching(/with a longer --timeout .* To find the cause: kubectl get apiservices$/),
  });
});
