import { describe, expect, test } from 'vitest';
import { failureDetector } from '../../../src/operations/persistent-failure.ts';
import type { PodView } from '../../../src/snapshot/types.ts';
import { recordedPods } from '../diagnosis/recorded.ts';
import { now, readyPod, seen } from '../diagnosis/snapshots.ts';

const [crashing] = recordedPods('unknown-flag') as [PodView];
const [unmounted] = recordedPods('no-such-volume') as [PodView];
const [unscheduled] = recordedPods('no-node-fits') as [PodView];
const restarted = (restarts: number, pod = crashing): PodView => ({
  ...pod,
  containers: pod.containers.map((each) => ({ ...each, restarts })),
});
const starting: PodView = { ...restarted(0), containers: [] };

const at = (second: number): Date => new Date(now.getTime() + second * 1000);

/** Checks one pod at each of these seconds. @returns the second at which it fails */
function failsAt(checks: readonly (readonly [second: number, pod: PodView])[]): number | undefined {
  const detect = failureDetector();
  return checks.find(([second, pod]) => detect([pod], at(second)) !== undefined)?.[0];
}

describe('a container that crashes', () => {
  test('fails at the third restart', () => {
    expect(
      failsAt([
        [0, starting],
        [5, restarted(1)],
        [100, restarted(2)],
        [900, restarted(2)],
        [901, restarted(3)],
      ]),
    ).toBe(901);
  });

  test('needs another restart after the first check: earlier causes may have been fixed', () => {
    expect(
      failsAt([
        [0, restarted(7)],
        [300, restarted(7)],
        [301, restarted(8)],
      ]),
    ).toBe(301);
  });

  test('does not fail before the current run ends', () => {
    const running = { kind: 'running', startedAt: at(19).toISOString() } as const;
    const again = (pod: PodView): PodView => ({ ...pod, containers: pod.containers.map((each) => ({ ...each, state: running })) });
    expect(
      failsAt([
        [0, restarted(2)],
        [20, again(restarted(3))],
        [40, again(restarted(3))],
        [60, restarted(3)],
      ]),
    ).toBe(60);
  });

  test('is counted separately from other containers', () => {
    const one = crashing.containers.find(({ ready }) => !ready);
    if (!one) throw new Error('no container was recorded');
    const pod = (restarts: number): PodView => ({
      ...crashing,
      containers: [
        { ...one, name: 'other', ready: true, restarts: 9, state: { kind: 'running', startedAt: '' } },
        { ...one, restarts },
      ],
    });
    expect(
      failsAt([
        [0, pod(0)],
        [10, pod(2)],
        [20, pod(3)],
      ]),
    ).toBe(20);
  });
});

describe('another problem of a pod', () => {
  test.each([
    ['a missing volume', unmounted],
    ['no node', unscheduled],
  ])('fails after 30 seconds: %s', (_, pod) => {
    expect(
      failsAt([
        [0, starting],
        [5, pod],
        [34, pod],
        [35, pod],
      ]),
    ).toBe(35);
  });

  test('is timed again after it has passed', () => {
    expect(
      failsAt([
        [0, unmounted],
        [20, starting],
        [22, unmounted],
        [50, unmounted],
        [52, unmounted],
      ]),
    ).toBe(52);
  });

  test('does not fail while a node is being added', () => {
    const coming = { ...unscheduled, events: seen([{ reason: 'TriggeredScaleUp', message: 'pod triggered scale-up' }]) };
    expect(
      failsAt([
        [0, coming],
        [500, coming],
      ]),
    ).toBeUndefined();
  });

  test('fails for another problem on the added node', () => {
    const added = {
      ...unmounted,
      events: seen([
        { reason: 'TriggeredScaleUp', message: 'x' },
        { reason: 'FailedMount', message: 'not found' },
      ]),
    };
    expect(
      failsAt([
        [0, added],
        [30, added],
      ]),
    ).toBe(30);
  });

  test('does not fail while another pod is being deleted in its grace period', () => {
    const detect = failureDetector();
    const leaving = { ...readyPod, name: 'before', deleting: true, goneBy: at(60).toISOString() };
    const kinds = [0, 30, 80, 95, 130].map((second) => detect([unscheduled, leaving], at(second))?.kind);
    expect(kinds).toEqual([undefined, undefined, undefined, undefined, 'unschedulable']);
  });

  test('does not fail for a pod that runs and is not ready', () => {
    const slow = { ...readyPod, ready: false };
    expect(
      failsAt([
        [0, slow],
        [500, slow],
      ]),
    ).toBeUndefined();
  });
});
