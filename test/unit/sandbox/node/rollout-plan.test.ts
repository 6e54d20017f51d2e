import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../../src/sandbox/node/registry.ts';
import { currentSet, isReady, nextStep, type Rollout, revisionOf } from '../../../../src/sandbox/node/rollout-plan.ts';
import { created, deploymentOf, readyAt } from './objects.ts';

const isGoing = ({ metadata }: Json): boolean => metadata.deletionTimestamp !== undefined;

/** Applies a step as the cluster would: pods become ready, and deleted pods disappear later. */
function done({ deployment, sets, pods }: Rollout, { gone, ready }: { gone: boolean; ready: boolean }): Rollout {
  const step = nextStep({ deployment, sets, pods });
  const left = pods.filter((pod) => !(gone && isGoing(pod)));
  const grown = left.map((pod) => (ready && pod.status === undefined ? { ...pod, status: readyAt('2030-01-01T00:00:00Z') } : pod));
  const deleted = (pod: Json): Json => ({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2030-01-01T00:00:00Z' } });
  const uids = new Set(step.oldPods.map(({ metadata }) => metadata.uid));
  return {
    deployment,
    sets: [...sets, ...(step.newSet ? [created(step.newSet)] : [])],
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

const speed = fc.record({ gone: fc.boolean(), ready: fc.boolean() });

describe('a rollout', () => {
  test('ends with the wanted number of pods of the latest template, from any state at any speed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }), fc.array(speed, { maxLength: 6 }), (from, to, speeds) => {
        const first = speeds.reduce(done, { deployment: withImage('image:1', { replicas: from }), sets: [], pods: [] });
        const last = settled({ ...first, deployment: withImage('image:2', { replicas: to }) });
        expect(last.pods).toHaveLength(to);
        expect(new Set(last.pods.map(ownerOf))).toEqual(new Set(to === 0 ? [] : [currentSet(last).metadata.uid]));
        expect(last.pods.every(({ spec }) => spec.containers[0].image === 'image:2')).toBe(true);
      }),
    );
  });

  test('never has fewer ready pods than wanted', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(speed, { minLength: 1, maxLength: 10 }), (replicas, speeds) => {
        let at: Rollout = {
          ...settled({ deployment: withImage('image:1', { replicas }), sets: [], pods: [] }),
          deployment: withImage('image:2', { replicas }),
        };
        for (const each of speeds) {
          at = done(at, each);
          expect(live(at).filter(isReady).length).toBeGreaterThanOrEqual(replicas);
        }
      }),
    );
  });

  test('of strategy Recreate never has pods of two templates', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(speed, { maxLength: 10 }), (replicas, speeds) => {
        const spec = { replicas, strategy: { type: 'Recreate' } };
        let at: Rollout = {
          ...settled({ deployment: withImage('image:1', spec), sets: [], pods: [] }),
          deployment: withImage('image:2', spec),
        };
        for (const each of speeds) {
          at = done(at, each);
          expect(new Set(at.pods.map(ownerOf)).size).toBeLessThanOrEqual(1);
        }
        const last = settled(at);
        expect(last.pods.map(({ spec: { containers } }) => containers[0].image)).toEqual(Array(replicas).fill('image:2'));
      }),
    );
  });

  test('back to an earlier template reuses its ReplicaSet', () => {
    const first = settled({ deployment: withImage('image:1'), sets: [], pods: [] });
    const second = settled({ ...first, deployment: withImage('image:2') });
    const third = settled({ ...second, deployment: withImage('image:1') });
    expect(third.sets).toHaveLength(2);
    expect(currentSet(third)).toBe(first.sets[0]);
    expect(second.sets.map(revisionOf)).toEqual([1, 2]);
  });
});

test('pods have the labels of the template, their owner, and the node', () => {
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
