import { describe, expect, test } from 'vitest';
import { observeOrThrow } from '../../../../src/snapshot/collect/observe.ts';
import { addPodDetails, type LabelSelector, listPods } from '../../../../src/snapshot/collect/pods.ts';
import { viewPod } from '../../../../src/snapshot/pod-view.ts';
import type { PodView } from '../../../../src/snapshot/types.ts';
import { answer, clusterOf, never, status } from '../../cluster/kube-api.ts';

/** Which requests read the details of pods, and what a snapshot keeps of the answers. */

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
  /** URLs that are answered with 403. */
  readonly forbidden?: RegExp;
}

async function collected(
  { pods, events = [], log = '', forbidden }: Cluster,
  selector: LabelSelector = { matchLabels: { app: 'api', tier: 'x' } },
  options: { readonly logs?: boolean } = {},
) {
  const requests: string[] = [];
  const cluster = await clusterOf(({ url }, response) => {
    requests.push(url);
    if (forbidden?.test(url)) return answer(response, 403, status(403, 'Forbidden', 'User "jane" cannot do that'));
    if (url.includes('/log?')) return answer(response, 200, log);
    const items = url.includes('/events?') ? events : pods;
    return answer(response, 200, { metadata: { resourceVersion: '1' }, items });
  });
  const namespace = 'wardle';
  const listed = await observeOrThrow(
    never,
    () => listPods(cluster, { namespace, selector }, never),
    (objects) => objects.map(viewPod),
  );
  const found =
    listed.state === 'seen' ? { ...listed, value: await addPodDetails(cluster, namespace, listed.value, never, options) } : listed;
  return { found, first: (found.state === 'seen' ? found.value[0] : undefined) as PodView, requests };
}

test('ready pods are listed, and nothing else is requested', async () => {
  const { found, requests } = await collected({ pods: [ready('a'), ready('b')] });
  expect(requests).toEqual(['/api/v1/namespaces/wardle/pods?labelSelector=app%3Dapi%2Ctier%3Dx']);
  expect(found).toMatchObject({
    state: 'seen',
    value: [{ name: 'a', ready: true, owner: 'uid-of-api-5d9', node: 'node-1' }, { name: 'b' }],
  });
});

test('environment and annotations of a pod are not kept', async () => {
  const { found } = await collected({ pods: [crashing('a')] });
  expect(JSON.stringify(found)).not.toContain(secret);
});

describe('a pod that crashes', () => {
  test('the last line of its log is kept', async () => {
    const { first, requests } = await collected({ pods: [crashing('a')], log: 'one\ntwo\nthree\n' });
    expect(requests.find((url) => url.includes('/log?'))).toContain('/pods/a/log?container=server&previous=false&');
    expect(first.lastLogLine).toEqual({ state: 'seen', value: 'three' });
  });

  test('its log is not read where logs may not be quoted', async () => {
    const { first, requests } = await collected({ pods: [crashing('a')], log: 'one\n' }, undefined, { logs: false });
    expect(requests.filter((url) => url.includes('/log?'))).toEqual([]);
    expect(first).toMatchObject({ events: { state: 'seen' }, lastLogLine: { state: 'unseen' } });
  });

  test('after a restart, the log of the previous run is read', async () => {
    const { requests } = await collected({ pods: [crashing('a', { running: {} })] });
    expect(requests.find((url) => url.includes('/log?'))).toContain('previous=true');
  });

  test('the line above the stack trace is kept', async () => {
    const log = 'I0101 starting\npanic: no such host\n\ngoroutine 1 [running]:\nmain.main()\n\tmain.go:31 +0x53\n';
    expect((await collected({ pods: [crashing('a')], log })).first.lastLogLine).toEqual({ state: 'seen', value: 'panic: no such host' });
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
  ])('the line kept is the last one, or the one above the last stack trace: %#', async (log, line) => {
    expect((await collected({ pods: [crashing('a')], log })).first.lastLogLine).toEqual({ state: 'seen', value: line });
  });

  test('one line is kept of the termination message, which may be the end of a log', async () => {
    const message = 'starting with token=abc\npanic: no config\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:12 +0x1d\n';
    const { first } = await collected({ pods: [crashing('a', { terminated: { exitCode: 2, reason: 'Error', message } })] });
    expect(first.containers[0]?.state).toMatchObject({ message: 'panic: no config' });
    expect(JSON.stringify(first)).not.toContain('token=abc');
  });

  test('an unreadable log is recorded with the reason', async () => {
    const { first } = await collected({ pods: [crashing('a')], log: 'unable to retrieve container logs for containerd://4f1c' });
    expect(first.lastLogLine).toEqual({ state: 'unseen', reason: 'unreachable', words: expect.stringContaining('containerd://4f1c') });
  });

  test('what RBAC forbids is recorded, the rest is observed', async () => {
    const { first } = await collected({ pods: [crashing('a')], forbidden: /log|events/ });
    expect(first).toMatchObject({
      name: 'a',
      events: { state: 'unseen', reason: 'forbidden', words: expect.stringContaining('resources: [events], verbs: [list]') },
      lastLogLine: { state: 'unseen', reason: 'forbidden', words: expect.stringContaining('resources: [pods/log]') },
    });
  });
});

test('the last warning of each reason is kept, in the order of time', async () => {
  const events = [
    event('FailedMount', 'Warning', 3, 'new'),
    event('FailedMount', 'Warning', 1, 'old'),
    event('Scheduled', 'Normal', 0, 'assigned'),
    event('TriggeredScaleUp', 'Normal', 4, 'a node comes'),
    event('BackOff', 'Warning', 2, 'back-off'),
  ];
  const { first, requests } = await collected({ pods: [crashing('a')], events });
  expect(requests).toContain('/api/v1/namespaces/wardle/events?fieldSelector=involvedObject.uid%3Duid-of-a');
  expect(first.events).toEqual({
    state: 'seen',
    value: [
      { reason: 'BackOff', message: 'back-off' },
      { reason: 'FailedMount', message: 'new' },
      { reason: 'TriggeredScaleUp', message: 'a node comes' },
    ],
  });
});

describe('problems with the set-up of a pod', () => {
  const failed = (minute: number) => event('FailedMount', 'Warning', minute, 'failed to sync secret cache');

  test.each(['Pulling', 'Pulled', 'Created', 'Started'])('nothing is kept when the kubelet went on: %s', async (reason) => {
    const { first } = await collected({ pods: [crashing('a')], events: [failed(1), event(reason, 'Normal', 2, 'x')] });
    expect(first.events).toEqual({ state: 'seen', value: [] });
  });

  test('a later one is kept', async () => {
    const { first } = await collected({ pods: [crashing('a')], events: [event('Pulled', 'Normal', 2, 'x'), failed(3)] });
    expect(first.events).toMatchObject({ value: [{ reason: 'FailedMount' }] });
  });

  test('a series counts by its last event', async () => {
    const series = {
      ...failed(1),
      lastTimestamp: null,
      eventTime: '2026-06-15T11:01:00.000000Z',
      series: { lastObservedTime: '2026-06-15T11:05:00.000000Z' },
    };
    const { first } = await collected({ pods: [crashing('a')], events: [series, event('Pulled', 'Normal', 2, 'x')] });
    expect(first.events).toMatchObject({ value: [{ reason: 'FailedMount' }] });
  });
});

test('the reason is kept why the scheduler ignores a pod', async () => {
  const condition = { type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', message: 'Scheduling is blocked' };
  const { first } = await collected({ pods: [pod('a', {}, { conditions: [condition], containerStatuses: [] })] });
  expect(first.unscheduled).toBe('SchedulingGated: Scheduling is blocked');
});

test('the conditions of a pod are kept', async () => {
  const conditions = [
    { type: 'PodReadyToStartContainers', status: 'True' },
    { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: 'the gate "x"' },
  ];
  const { first } = await collected({ pods: [pod('a', { state: { running: { startedAt: '2026-06-15T11:00:00Z' } } }, { conditions })] });
  expect(first).toMatchObject({
    prepared: true,
    unready: { reason: 'ReadinessGatesNotReady', message: 'the gate "x"' },
    containers: [{ state: { kind: 'running', startedAt: '2026-06-15T11:00:00Z' } }],
  });
});

describe('a pod that runs and is not ready', () => {
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
    const { first } = await collected({ pods: [withProbe(probe)] });
    expect(first.containers[0]?.readinessProbe).toBe(words);
    expect(JSON.stringify(first)).not.toContain(secret);
  });

  test('the log is that of the running container', async () => {
    const { first, requests } = await collected({
      pods: [withProbe({ tcpSocket: { port: 1 } })],
      log: 'starting\nstill waiting for etcd\n',
    });
    expect(first.lastLogLine).toEqual({ state: 'seen', value: 'still waiting for etcd' });
    expect(requests).toContainEqual(expect.stringMatching(/\/pods\/a\/log\?container=server&previous=false/));
  });
});

test('of a hundred failing pods, the details of eight are read', async () => {
  const { found, requests } = await collected({ pods: Array.from({ length: 100 }, (_, index) => crashing(`p${index}`)) });
  expect(found).toMatchObject({ state: 'seen', value: { length: 100 } });
  expect(requests).toHaveLength(1 + 8 * 2);
});

test('pods that RBAC hides are unseen, with the rule that allows it', async () => {
  const { found } = await collected({ pods: [], forbidden: /pods/ });
  expect(found).toMatchObject({
    state: 'unseen',
    reason: 'forbidden',
    words: expect.stringContaining('Role in namespace wardle: {apiGroups: [""], resources: [pods], verbs: [list]}'),
  });
});
