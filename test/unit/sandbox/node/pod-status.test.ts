import { expect, test } from 'vitest';
import { createLog } from '../../../../src/sandbox/node/log.ts';
import { imageMissing, notRun, podStatus } from '../../../../src/sandbox/node/pod-status.ts';
import type { ContainerOnNode, Json } from '../../../../src/sandbox/node/registry.ts';
import { problemOf } from '../../../../src/snapshot/pod-problem.ts';
import { viewPod } from '../../../../src/snapshot/pod-view.ts';
import { containerOf, podOf } from './objects.ts';

const startedAt = new Date('2030-01-01T00:00:00Z');
const now = new Date('2030-01-01T00:00:05Z');
const log = createLog(() => {});
const running = { kind: 'running', startedAt, log } as const;
const last = { exitCode: 137, startedAt, finishedAt: now, log };
const sidecar = containerOf({ name: 'sidecar', runs: false, state: { kind: 'waiting', reason: notRun } });

function statusOf(containers: ContainerOnNode[], before: Json[] = []): Json {
  return podStatus({ object: podOf('pod'), containers, address: '10.0.0.1', startedAt, mounted: true }, before, now);
}
const problemIn = (containers: ContainerOnNode[]) => problemOf(viewPod({ ...podOf('pod'), status: statusOf(containers) }), now);
const isReady = ({ conditions }: Json): boolean => conditions.find(({ type }: Json) => type === 'Ready').status === 'True';

test('a pod is ready when the containers that run here are ready', () => {
  const status = statusOf([containerOf({ state: running, ready: true }), sidecar]);
  expect(status).toMatchObject({
    phase: 'Running',
    podIP: '10.0.0.1',
    hostIP: '10.0.0.1',
    containerStatuses: [{ ready: true }, { ready: false, state: { waiting: { reason: notRun } } }],
  });
  expect(isReady(status)).toBe(true);
  expect(isReady(statusOf([containerOf({ state: running }), sidecar]))).toBe(false);
  expect(statusOf([containerOf(), sidecar])).toMatchObject({ phase: 'Pending' });
});

test('apisvc recognizes the problem of a pod that cannot run here', () => {
  const container = containerOf({ runs: false, state: { kind: 'waiting', reason: imageMissing, message: 'not here' } });
  expect(statusOf([container])).toMatchObject({ phase: 'Pending' });
  expect(problemIn([container])).toMatchObject({ kind: 'image', evidence: [expect.stringContaining('not here')] });
});

test('a container that ended has an exit code and the ID of its log', () => {
  const container = containerOf({ state: { kind: 'waiting', reason: 'CrashLoopBackOff' }, restarts: 2, last });
  expect(statusOf([container]).containerStatuses).toMatchObject([
    {
      restartCount: 2,
      lastState: {
        terminated: {
          exitCode: 137,
          reason: 'Error',
          finishedAt: '2030-01-01T00:00:05Z',
          containerID: expect.stringMatching(/^apisvc-sandbox:/),
        },
      },
    },
  ]);
  expect(problemIn([container])).toMatchObject({ kind: 'crashing', container: 'server' });
});

test('a condition keeps its time until its status changes', () => {
  const earlier = '2029-01-01T00:00:00Z';
  const before = ['Ready', 'PodScheduled'].map((type) => ({ type, status: 'True', lastTransitionTime: earlier }));
  const times = new Map(
    statusOf([containerOf()], before).conditions.map(({ type, lastTransitionTime }: Json) => [type, lastTransitionTime]),
  );
  expect([times.get('PodScheduled'), times.get('Ready')]).toEqual([earlier, '2030-01-01T00:00:05Z']);
});
