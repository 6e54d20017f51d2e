import { describe, expect, test } from 'vitest';
import { type LabelSelector, lookAtPods } from '../../../../src/snapshot/collect/pods.ts';
import type { PodView } from '../../../../src/snapshot/types.ts';
import { answer, clusterOf, never, status } from '../../cluster/kube-api.ts';

/** What is asked for about pods, and what is not. */

const secret = 'do-not-keep';

const pod = (name: string, container: object, more: object = {}): object => ({
  metadata: {
    name,
    uid: `uid-of-${name}`,
    ownerReferences: [{ kind: 'ReplicaSet', name: 'api-5d9', uid: 'uid-of-api-5d9', controller: true }],
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

async function looking(
  { pods, events = [], log = '', forbidden }: Cluster,
  selector: LabelSelector = { matchLabels: { app: 'api', tier: 'x' } },
) {
  const asked: string[] = [];
  const cluster = await clusterOf(({ url }, response) => {
    asked.push(url);
    if (forbidden?.test(url)) return answer(response, 403, status(403, 'Forbidden', 'User "jane" cannot do that'));
    if (url.includes('/log?')) return answer(response, 200, log);
    const items = url.includes('/events?') ? events : pods;
    return answer(response, 200, { metadata: { resourceVersion: '1' }, items });
  });
  const found = await lookAtPods(cluster, { namespace: 'wardle', selector }, never);
  return { found, first: (found.state === 'seen' ? found.value[0] : undefined) as PodView, asked };
}

test('of pods that are ready nothing but the list is asked for', async () => {
  const { found, asked } = await looking({ pods: [ready('a'), ready('b')] });
  expect(asked).toEqual(['/api/v1/namespaces/wardle/pods?labelSelector=app%3Dapi%2Ctier%3Dx']);
  expect(found).toMatchObject({
    state: 'seen',
    value: [{ name: 'a', ready: true, owner: 'uid-of-api-5d9', node: 'node-1' }, { name: 'b' }],
  });
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

  test.each<[string, string]>([
    ['panic: old\n\ngoroutine 1 [running]:\nmain.main()\n\tmain.go:31 +0x53\nI0101 started again\nno etcd\n', 'no etcd'],
    ['I0101 http: panic serving 10.0.0.1: x\nE0101 no etcd\n', 'E0101 no etcd'],
    [
      'panic: first\ngoroutine 9 [running]:\n\tx.go:1 +0x1\nF0101 no port\ngoroutine 1 [running]:\nk8s.io/klog/v2.(*T).Run(0xc0, {0x1, ...})\n\ty.go:2\n',
      'F0101 no port',
    ],
    [
      'panic: nil [recovered]\n\tpanic: nil\n[signal SIGSEGV: segmentation violation]\n\ngoroutine 1 [running]:\n',
      'panic: nil [recovered]',
    ],
  ])('that is the last one, or what stands above the last stacks: %#', async (log, line) => {
    expect((await looking({ pods: [crashing('a')], log })).first.lastLogLine).toEqual({ state: 'seen', value: line });
  });

  test('one line is kept of what it left as its last words, which may be the end of its log', async () => {
    const message = 'starting with token=abc\npanic: no config\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:12 +0x1d\n';
    const { first } = await looking({ pods: [crashing('a', { terminated: { exitCode: 2, reason: 'Error', message } })] });
    expect(first.containers[0]?.state).toMatchObject({ message: 'panic: no config' });
    expect(JSON.stringify(first)).not.toContain('token=abc');
  });

  test('a log that can not be read is told, with the reason', async () => {
    const { first } = await looking({ pods: [crashing('a')], log: 'unable to retrieve container logs for containerd://4f1c' });
    expect(first.lastLogLine).toEqual({ state: 'unseen', reason: 'unreachable', words: expect.stringContaining('containerd://4f1c') });
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

describe('of trouble with the set-up of a pod', () => {
  const failed = (minute: number) => event('FailedMount', 'Warning', minute, 'failed to sync secret cache');

  test.each(['Pulling', 'Pulled', 'Created', 'Started'])('nothing is kept when kubelet got over it: %s', async (reason) => {
    const { first } = await looking({ pods: [crashing('a')], events: [failed(1), event(reason, 'Normal', 2, 'x')] });
    expect(first.events).toEqual({ state: 'seen', value: [] });
  });

  test('what came later is kept', async () => {
    const { first } = await looking({ pods: [crashing('a')], events: [event('Pulled', 'Normal', 2, 'x'), failed(3)] });
    expect(first.events).toMatchObject({ value: [{ reason: 'FailedMount' }] });
  });

  test('the last of a series counts', async () => {
    const series = {
      ...failed(1),
      lastTimestamp: null,
      eventTime: '2026-06-15T11:01:00.000000Z',
      series: { lastObservedTime: '2026-06-15T11:05:00.000000Z' },
    };
    const { first } = await looking({ pods: [crashing('a')], events: [series, event('Pulled', 'Normal', 2, 'x')] });
    expect(first.events).toMatchObject({ value: [{ reason: 'FailedMount' }] });
  });
});

test('of a pod that the scheduler does not look at the reason is kept', async () => {
  const condition = { type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', message: 'Scheduling is blocked' };
  const { first } = await looking({ pods: [pod('a', {}, { conditions: [condition], containerStatuses: [] })] });
  expect(first.unscheduled).toBe('SchedulingGated: Scheduling is blocked');
});

test('what its conditions say of a pod is kept', async () => {
  const conditions = [
    { type: 'PodReadyToStartContainers', status: 'True' },
    { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: 'the gate "x"' },
  ];
  const { first } = await looking({ pods: [pod('a', { state: { running: { startedAt: '2026-06-15T11:00:00Z' } } }, { conditions })] });
  expect(first).toMatchObject({
    prepared: true,
    unready: { reason: 'ReadinessGatesNotReady', message: 'the gate "x"' },
    containers: [{ state: { kind: 'running', startedAt: '2026-06-15T11:00:00Z' } }],
  });
});

describe('of a pod that runs and is not ready', () => {
  const withProbe = (readinessProbe: object): object => ({
    ...pod('a', { state: { running: {} }, restartCount: 0 }),
    spec: { containers: [{ name: 'other' }, { name: 'server', readinessProbe }] },
  });

  test.each<[object, string]>([
    [{ httpGet: { path: '/readyz', port: 8443, scheme: 'HTTPS' } }, 'HTTPS GET /readyz at port 8443'],
    [{ httpGet: { port: 'https' } }, 'HTTP GET / at port https'],
    [{ tcpSocket: { port: 8443 } }, 'a connection to port 8443'],
    [{ grpc: { port: 9000 } }, 'gRPC health at port 9000'],
    [{ exec: { command: ['check', secret] } }, 'a command in the container'],
  ])('the probe is kept: %j', async (probe, words) => {
    const { first } = await looking({ pods: [withProbe(probe)] });
    expect(first.containers[0]?.readinessProbe).toBe(words);
    expect(JSON.stringify(first)).not.toContain(secret);
  });

  test('the last line of the log is that of the container that runs', async () => {
    const { first, asked } = await looking({ pods: [withProbe({ tcpSocket: { port: 1 } })], log: 'starting\nstill waiting for etcd\n' });
    expect(first.lastLogLine).toEqual({ state: 'seen', value: 'still waiting for etcd' });
    expect(asked).toContainEqual(expect.stringMatching(/\/pods\/a\/log\?container=server&previous=false/));
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
