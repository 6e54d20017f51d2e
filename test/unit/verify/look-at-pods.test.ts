import { describe, expect, test } from 'vitest';
import { lookAtPods } from '../../../src/verify/pods.ts';
import type { PodView } from '../../../src/verify/types.ts';
import { answer, clusterOf, never, status } from '../cluster/kube-api.ts';

/** What is asked for about pods, and what is not. */

const secret = 'do-not-keep';

const pod = (name: string, container: object, more: object = {}): object => ({
  metadata: {
    name,
    uid: `uid-of-${name}`,
    ownerReferences: [{ kind: 'ReplicaSet', name: 'api-5d9', controller: true }],
    annotations: { note: secret },
  },
  spec: { nodeName: 'node-1', containers: [{ name: 'server', env: [{ name: 'PASSWORD', value: secret }] }] },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'False' }],
    containerStatuses: [{ name: 'server', ready: false, restartCount: 1, ...container }],
    ...more,
  },
});
const ready = (name: string): object =>
  pod(name, { ready: true, state: { running: {} } }, { conditions: [{ type: 'Ready', status: 'True' }] });
const crashing = (name: string, state: object = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } }): object =>
  pod(name, { state, lastState: { terminated: { exitCode: 1, reason: 'Error' } } });

const event = (reason: string, type: string, minute: number, message: string): object => ({
  type,
  reason,
  message,
  lastTimestamp: `2026-06-15T11:0${minute}:00Z`,
});

interface Cluster {
  readonly pods: readonly object[];
  readonly events?: readonly object[];
  readonly log?: string;
  /** What is answered with 403. */
  readonly forbidden?: RegExp;
}

async function looking({ pods, events = [], log = '', forbidden }: Cluster) {
  const asked: string[] = [];
  const cluster = await clusterOf(({ url }, response) => {
    asked.push(url);
    if (forbidden?.test(url)) return answer(response, 403, status(403, 'Forbidden', 'User "jane" cannot do that'));
    if (url.includes('/log?')) return answer(response, 200, log);
    const items = url.includes('/events?') ? events : pods;
    return answer(response, 200, { metadata: { resourceVersion: '1' }, items });
  });
  const found = await lookAtPods(cluster, { namespace: 'wardle', labels: { app: 'api', tier: 'x' } }, never);
  return { found, first: (found.state === 'seen' ? found.value[0] : undefined) as PodView, asked };
}

test('of pods that are ready nothing but the list is asked for', async () => {
  const { found, asked } = await looking({ pods: [ready('a'), ready('b')] });
  expect(asked).toEqual(['/api/v1/namespaces/wardle/pods?labelSelector=app%3Dapi%2Ctier%3Dx']);
  expect(found).toMatchObject({ state: 'seen', value: [{ name: 'a', ready: true, owner: 'api-5d9', node: 'node-1' }, { name: 'b' }] });
});

test('nothing is kept that a pod is given: no environment, no annotations', async () => {
  const { found } = await looking({ pods: [crashing('a')] });
  expect(JSON.stringify(found)).not.toContain(secret);
});

describe('of a pod that crashes', () => {
  test('the log of its last run is read, and one line of it kept', async () => {
    const { first, asked } = await looking({ pods: [crashing('a')], log: 'one\ntwo\nthree\n' });
    expect(asked.find((url) => url.includes('/log?'))).toContain('/pods/a/log?container=server&previous=false&');
    expect(first.lastLogLine).toEqual({ state: 'seen', value: 'three' });
  });

  test('and runs again, that of the run before', async () => {
    const { asked } = await looking({ pods: [crashing('a', { running: {} })] });
    expect(asked.find((url) => url.includes('/log?'))).toContain('previous=true');
  });

  test('the line above the stack trace says why', async () => {
    const log = 'I0101 starting\npanic: no such host\n\ngoroutine 1 [running]:\nmain.main()\n\tmain.go:31 +0x53\n';
    expect((await looking({ pods: [crashing('a')], log })).first.lastLogLine).toEqual({ state: 'seen', value: 'panic: no such host' });
  });

  test('what may not be seen is told, the rest is seen', async () => {
    const { first } = await looking({ pods: [crashing('a')], forbidden: /log|events/ });
    expect(first).toMatchObject({
      name: 'a',
      events: { state: 'unseen', reason: 'forbidden', words: expect.stringContaining('resources: [events], verbs: [list]') },
      lastLogLine: { state: 'unseen', reason: 'forbidden', words: expect.stringContaining('resources: [pods/log]') },
    });
  });
});

test('of events the warnings are kept, the last one of each reason, in the order of time', async () => {
  const events = [
    event('FailedMount', 'Warning', 3, 'new'),
    event('FailedMount', 'Warning', 1, 'old'),
    event('Scheduled', 'Normal', 0, 'assigned'),
    event('TriggeredScaleUp', 'Normal', 4, 'a node comes'),
    event('BackOff', 'Warning', 2, 'back-off'),
  ];
  const { first, asked } = await looking({ pods: [crashing('a')], events });
  expect(asked).toContain('/api/v1/namespaces/wardle/events?fieldSelector=involvedObject.uid%3Duid-of-a');
  expect(first.events).toEqual({
    state: 'seen',
    value: [
      { reason: 'BackOff', message: 'back-off' },
      { reason: 'FailedMount', message: 'new' },
      { reason: 'TriggeredScaleUp', message: 'a node comes' },
    ],
  });
});

test('a hundred pods in trouble are not all asked about', async () => {
  const { found, asked } = await looking({ pods: Array.from({ length: 100 }, (_, index) => crashing(`p${index}`)) });
  expect(found).toMatchObject({ state: 'seen', value: { length: 100 } });
  expect(asked).toHaveLength(1 + 8 * 2);
});

test('pods that may not be listed are unseen, with the rule that allows it', async () => {
  const { found } = await looking({ pods: [], forbidden: /pods/ });
  expect(found).toMatchObject({
    state: 'unseen',
    reason: 'forbidden',
    words: expect.stringContaining('Role in namespace wardle: {apiGroups: [""], resources: [pods], verbs: [list]}'),
  });
});
