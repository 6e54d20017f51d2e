import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { currentSet, isReady, nextStep, type Rollout, revisionOf } from '../../../../src/sandbox/node/rollout-plan.ts';
import type { Json } from '../../../../src/sandbox/node/types.ts';
import { created, deploymentOf, readyAt } from './objects.ts';

const now = new Date('2030-01-01T00:10:00Z');
const isGoing = ({ metadata }: Json): boolean => metadata.deletionTimestamp !== undefined;

/** Does a step as the cluster would: pods get ready, and those that are deleted go only some time later. */
function done({ deployment, sets, pods }: Rollout, { gone, ready }: { gone: boolean; ready: boolean }): Rollout {
  const step = nextStep({ deployment, sets, pods }, now);
  const left = pods.filter((pod) => !(gone && isGoing(pod)));
  const grown = left.map((pod) => (ready && pod.status === undefined ? { ...pod, status: readyAt('2030-01-01T00:00:00Z') } : pod));
  const deleted = (pod: Json): Json => ({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2030-01-01T00:00:00Z' } });
  const uids = new Set(step.oldPods.map(({ metadata }) => metadata.uid));
  return {
    deployment,
    sets: [...sets.filter((set) => !step.oldSets.includes(set)), ...(step.newSet ? [created(step.newSet)] : [])],
    pods: [...grown.map((pod) => (uids.has(pod.metadata.uid) ? deleted(pod) : pod)), ...step.newPods.map(created)],
  };
}

const live = ({ pods }: Rollout): Json[] => pods.filter((pod) => !isGoing(pod));
const ownerOf = ({ metadata }: Json): string => metadata.ownerReferences[0].uid;
const settled = (rollout: Rollout): Rollout =>
  Array.from({ length: 12 }).reduce((at: Rollout) => done(at, { gone: true, ready: true }), rollout);
const withImage = (image: string, spec: Json = {}): Json => {
  const deployment = deploymentOf(spec);
  deployment.spec.template.spec.containers[0].image = image;
  return { ...deployment, metadata: { ...deployment.metadata, uid: 'app' } };
};

const strategies = [{ type: 'Recreate' }, { type: 'RollingUpdate' }];
const speed = fc.record({ gone: fc.boolean(), ready: fc.boolean() });

describe('a roll-out', () => {
  test('ends with as many pods of the newest template as are wanted, whatever was there and however slow it goes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 0, max: 3 }),
        fc.constantFrom(...strategies),
        fc.array(speed, { maxLength: 6 }),
        (from, to, strategy, speeds) => {
          const first = speeds.reduce(done, { deployment: withImage('image:1', { replicas: from, strategy }), sets: [], pods: [] });
          const last = settled({ ...first, deployment: withImage('image:2', { replicas: to, strategy }) });
          expect(last.pods).toHaveLength(to);
          expect(new Set(last.pods.map(ownerOf))).toEqual(new Set(to === 0 ? [] : [currentSet(last).metadata.uid]));
          expect(last.pods.every(({ spec }) => spec.containers[0].image === 'image:2')).toBe(true);
        },
      ),
    );
  });

  test('never has pods of two templates with Recreate, and never fewer that are ready than are wanted without', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(...strategies),
        fc.array(speed, { minLength: 1, maxLength: 10 }),
        (replicas, strategy, speeds) => {
          let at: Rollout = {
            ...settled({ deployment: withImage('image:1', { replicas, strategy }), sets: [], pods: [] }),
            deployment: withImage('image:2', { replicas, strategy }),
          };
          for (const each of speeds) {
            at = done(at, each);
            if (strategy.type === 'Recreate') expect(new Set(at.pods.map(ownerOf)).size).toBeLessThanOrEqual(1);
            else expect(live(at).filter(isReady).length).toBeGreaterThanOrEqual(replicas);
          }
        },
      ),
    );
  });

  test('that goes back to an earlier template takes up its ReplicaSet', () => {
    const first = settled({ deployment: withImage('image:1'), sets: [], pods: [] });
    const second = settled({ ...first, deployment: withImage('image:2') });
    const third = settled({ ...second, deployment: withImage('image:1') });
    expect(third.sets).toHaveLength(2);
    expect(currentSet(third)).toBe(first.sets[0]);
    expect(second.sets.map(revisionOf)).toEqual([1, 2]);
  });

  test('that is paused scales what there is and starts nothing new', () => {
    const first = settled({ deployment: withImage('image:1'), sets: [], pods: [] });
    const paused = settled({ ...first, deployment: withImage('image:2', { paused: true, replicas: 2 }) });
    expect(paused.sets).toEqual(first.sets);
    expect(paused.pods.map(ownerOf)).toEqual([first.sets[0].metadata.uid, first.sets[0].metadata.uid]);
  });

  test('forgets ReplicaSets beyond the history that is wanted', () => {
    let last: Rollout = { deployment: undefined, sets: [], pods: [] };
    for (const image of ['image:1', 'image:2', 'image:3', 'image:4']) {
      last = settled({ ...last, deployment: withImage(image, { revisionHistoryLimit: 1 }) });
    }
    expect(last.sets.map(revisionOf)).toEqual([3, 4]);
  });
});

test('the pods carry what the template says, their owner, and the node', () => {
  const { pods, sets } = settled({ deployment: withImage('image:1'), sets: [], pods: [] });
  const [set] = sets;
  const hash = set.metadata.labels['pod-template-hash'];
  expect(set).toMatchObject({
    metadata: { name: `app-${hash}`, ownerReferences: [{ kind: 'Deployment', name: 'app', controller: true }] },
    spec: { selector: { matchLabels: { app: 'app', 'pod-template-hash': hash } } },
  });
  expect(pods).toMatchObject([
    {
      metadata: { labels: { app: 'app', 'pod-template-hash': hash }, ownerReferences: [{ kind: 'ReplicaSet', uid: set.metadata.uid }] },
      spec: { nodeName: 'apisvc-sandbox' },
    },
  ]);
});

test('a pod that is ready counts as available only after minReadySeconds', () => {
  const deployment = withImage('image:1', { minReadySeconds: 700 });
  const old = settled({ deployment: withImage('image:0'), sets: [], pods: [] });
  expect(new Set(settled({ ...old, deployment }).pods.map(({ spec }) => spec.containers[0].image))).toEqual(
    new Set(['image:0', 'image:1']),
  );
});
