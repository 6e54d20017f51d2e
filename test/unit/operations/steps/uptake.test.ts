import { describe, expect, test, vi } from 'vitest';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import { uptakeStep } from '../../../../src/operations/steps/uptake.ts';
import { answer, never, status } from '../../cluster/kube-api.ts';
import { deadlineIn, rejection, waitingFor } from '../waiting.ts';

/** What kube-apiserver says in this situation. */
interface Situation {
  /** undefined if they may not be listed. */
  readonly leases: readonly KubeObject[] | undefined;
  /**
   * The depth of the queue at each look; the last one stays. undefined, or negative, if it may not
   * be read.
   */
  readonly depths: readonly number[] | undefined;
  /** How the Leases are renewed. */
  readonly watched?: readonly KubeObject[];
  /** How many APIServices are not available. */
  readonly broken?: number;
  readonly signal?: AbortSignal;
}

const brokenApiService = (_: unknown, index: number) => ({
  metadata: { name: `v1.broken${index}` },
  spec: { service: { namespace: 'wardle', name: 'broken' }, group: 'broken', version: 'v1' },
  status: { conditions: [{ type: 'Available', status: 'False' }] },
});

async function situation({ leases, depths, watched = [], broken = 0, signal = never }: Situation) {
  let looks = 0;
  const pauses: number[] = [];
  const forbidden = status(403, 'Forbidden', 'forbidden: User "x" cannot do it');
  const made = await waitingFor(leases ?? [], watched, signal, ({ url }, response) => {
    if (url === '/metrics') {
      const depth = depths?.[Math.min(looks, depths.length - 1)];
      looks += 1;
      if (depth === undefined || depth < 0) answer(response, 403, forbidden);
      else response.end(metrics(depth));
    } else if (url.includes('/apiservices'))
      answer(response, 200, { metadata: { resourceVersion: '1' }, items: [...Array(broken)].map(brokenApiService) });
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

const lease = (name: string, renewTime: string): KubeObject => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, namespace: 'kube-system' },
  spec: { renewTime },
});
const blind = 'GET /metrics does not show whether kube-apiserver is still processing APIServices';
const notesIn = (progress: readonly Progress[]): string[] => progress.flatMap((each) => (each.kind === 'note' ? each.what : []));

test.each([
  [
    'may not be listed',
    undefined,
    /^waiting 2m10s: failed to find the kube-apiservers \(not allowed to list leases\.coordination\.k8s\.io in namespace "kube-system".*\)$/,
  ],
  ['do not exist', [], /^waiting 2m10s: failed to find the kube-apiservers \(no kube-apiserver has a Lease in kube-system\)$/],
])('where Leases %s, the queue of kube-apiserver is asked after the wait', async (_, leases, note) => {
  // The first look tells only whether the queue can be read.
  const { step, pauses, states, looks, progress } = await situation({ leases, depths: [0, 2, 1, 0] });
  await step.run();
  expect(pauses).toEqual([130_000, 500, 500]);
  expect(looks()).toBe(4);
  expect(notesIn(progress)).toEqual([expect.stringMatching(note)]);
  expect(states()).toEqual(['kube-apiserver is still reading the OpenAPI document of another server']);
});

test('where nothing tells what holds kube-apiserver up, servers that are not available are named', async () => {
  const { step, pauses, progress } = await situation({ leases: undefined, depths: undefined, broken: 2 });
  await step.run();
  expect(pauses).toEqual([130_000]);
  expect(notesIn(progress)).toEqual([
    expect.stringMatching(
      /^waiting 2m10s: failed to find the kube-apiservers .*: APIService v1\.broken0 is not available; APIService v1\.broken1 is not/,
    ),
  ]);
});

describe('where the Leases are known,', () => {
  const one = [lease('a', '1')];
  const two = [...one, lease('b', '1')];
  const renewed = two.map(({ metadata }) => lease(metadata.name, '2'));

  test.each([
    ['one kube-apiserver whose queue is read has a short time', one, [0], 0, '10s', []],
    ['that time is as short while an APIService is not available, which the queue shows', one, [0], 1, '10s', []],
    ['one kube-apiserver whose queue may not be read has a long time', one, undefined, 0, '2m10s', [`waiting 2m10s: ${blind}`]],
    [
      'the queue of one of several kube-apiservers is not enough',
      two,
      [0],
      0,
      '2m10s',
      ['waiting 2m10s: GET /metrics shows for only one of 2 kube-apiservers whether it is still processing APIServices'],
    ],
  ])('%s', async (_, leases, depths, broken, settle, notes) => {
    const stop = new AbortController();
    const watched = renewed.slice(0, leases.length);
    const { step, states, progress } = await situation({ leases, watched, depths, broken, signal: stop.signal });
    const ended = rejection(step.run());
    const settled = new RegExp(`renewed; waiting ${settle} for the change to take effect$`);
    await vi.waitFor(() => expect(states().at(-1)).toMatch(settled), { timeout: 20_000 });
    stop.abort();
    await ended;
    expect(notesIn(progress)).toEqual(notes);
  });
});

test('a queue that can no longer be read is not taken for an empty one', async () => {
  const { step, pauses, progress } = await situation({ leases: undefined, depths: [1, 1, -1] });
  await step.run();
  expect(pauses).toEqual([130_000, 500, 130_000]);
  expect(notesIn(progress).at(-1)).toBe(`waiting 2m10s: ${blind}`);
});

test('a queue that never gets empty is waited for until what came before is picked up', async () => {
  const { step, pauses, progress } = await situation({ leases: undefined, depths: [1] });
  await step.run();
  expect(pauses).toEqual([130_000, ...Array(480).fill(500)]);
  expect(progress.at(-1)).toEqual({
    kind: 'note',
    what: 'kube-apiserver is still processing APIServices after 4m; continuing, because the changed ones are done by now (each takes at most 2m)',
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
