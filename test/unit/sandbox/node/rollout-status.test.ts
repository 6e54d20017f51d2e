import { describe, expect, test } from 'vitest';
import type { Json } from '../../../../src/sandbox/node/registry.ts';
import { nextStep } from '../../../../src/sandbox/node/rollout-plan.ts';
import { deploymentStatus, setStatus } from '../../../../src/sandbox/node/rollout-status.ts';
import { created, deploymentOf, readyAt } from './objects.ts';

const start = Date.parse('2030-01-01T00:00:00Z');
const at = (seconds: number): Date => new Date(start + seconds * 1000);
const conditionOf = (status: Json, type: string): Json => status.conditions.find((each: Json) => each.type === type);

/** A Deployment with its ReplicaSet and one pod in this status. */
function rolloutOf(podStatus: Json, status: Json = {}, spec: Json = {}) {
  const deployment = { ...deploymentOf(spec), status };
  deployment.metadata.uid = 'app';
  const set = created(nextStep({ deployment, sets: [], pods: [] }).newSet);
  const [pod] = nextStep({ deployment, sets: [set], pods: [] }).newPods;
  return { deployment, sets: [set], pods: podStatus === undefined ? [] : [{ ...created(pod), status: podStatus }] };
}

const ready = readyAt('2030-01-01T00:00:00Z');
const waiting = (reason: string, message: string): Json => ({
  phase: 'Pending',
  containerStatuses: [{ name: 'server', state: { waiting: { reason, message } } }],
});

describe('the status of a Deployment', () => {
  test('goes from a new ReplicaSet to a complete rollout', () => {
    const first = deploymentStatus(rolloutOf(undefined), undefined, at(1)).status;
    expect(first).toMatchObject({ observedGeneration: 1, replicas: 0, updatedReplicas: 0, unavailableReplicas: 1 });
    expect(conditionOf(first, 'Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' });
    expect(conditionOf(first, 'Progressing')).toMatchObject({
      status: 'True',
      reason: 'NewReplicaSetCreated',
      lastUpdateTime: '2030-01-01T00:00:01Z',
    });

    const second = deploymentStatus(rolloutOf({ phase: 'Running' }, first), undefined, at(2)).status;
    expect(conditionOf(second, 'Progressing')).toMatchObject({
      status: 'True',
      reason: 'ReplicaSetUpdated',
      lastTransitionTime: '2030-01-01T00:00:01Z',
    });

    const rollout = rolloutOf(ready, second);
    const third = deploymentStatus(rollout, undefined, at(3));
    expect(third.status).toMatchObject({ replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, unavailableReplicas: 0 });
    expect(conditionOf(third.status, 'Available')).toMatchObject({ status: 'True', lastTransitionTime: '2030-01-01T00:00:03Z' });
    expect(conditionOf(third.status, 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
    expect(third.againMs).toBeUndefined();
    expect(setStatus(rollout.sets[0], rollout.pods)).toMatchObject({ replicas: 1, readyReplicas: 1, availableReplicas: 1 });
    expect(deploymentStatus(rolloutOf(ready, third.status), undefined, at(60)).status).toEqual(third.status);
  });

  test('fails without progress within progressDeadlineSeconds, and recovers with progress', () => {
    const rollout = (status: Json, pod: Json = { phase: 'Running' }) => rolloutOf(pod, status, { progressDeadlineSeconds: 10 });
    const created = deploymentStatus(rollout({}), undefined, at(0)).status;
    const early = deploymentStatus(rollout(created), undefined, at(4));
    expect(early.againMs).toBe(6_000);
    const late = deploymentStatus(rollout(early.status), undefined, at(10)).status;
    expect(conditionOf(late, 'Progressing')).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: expect.stringMatching(/has timed out progressing\.$/),
    });
    expect(deploymentStatus(rollout(late), undefined, at(99)).status).toEqual(late);
    expect(conditionOf(deploymentStatus(rollout(late, ready), undefined, at(100)).status, 'Progressing')).toMatchObject({ status: 'True' });
  });

  test('fails within seconds when the image is not available, and reports why', () => {
    const pod = waiting('ErrImageNeverPull', 'image "x" is not available');
    const created = deploymentStatus(rolloutOf(pod), undefined, at(0)).status;
    expect(deploymentStatus(rolloutOf(pod, created), undefined, at(1)).againMs).toBe(2_000);
    const { status } = deploymentStatus(rolloutOf(pod, created), undefined, at(3));
    expect(conditionOf(status, 'Progressing')).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: expect.stringMatching(/cannot progress: image "x" is not available$/),
    });
    expect(
      conditionOf(deploymentStatus(rolloutOf(waiting('CrashLoopBackOff', ''), created), undefined, at(3)).status, 'Progressing').status,
    ).toBe('True');
  });

  test('stays complete when a pod is no longer ready', () => {
    const complete = deploymentStatus(rolloutOf(ready), undefined, at(0)).status;
    const { status } = deploymentStatus(rolloutOf({ phase: 'Running' }, complete), undefined, at(9_999));
    expect(conditionOf(status, 'Progressing')).toMatchObject({ reason: 'NewReplicaSetAvailable' });
    expect(conditionOf(status, 'Available')).toMatchObject({ status: 'False' });
  });

  test('reports why pods cannot be created', () => {
    const failed = deploymentStatus(rolloutOf(undefined), 'exceeded quota', at(0));
    expect(conditionOf(failed.status, 'ReplicaFailure')).toMatchObject({
      status: 'True',
      reason: 'FailedCreate',
      message: 'exceeded quota',
    });
    expect(failed.againMs).toBe(1_000);
  });
});
