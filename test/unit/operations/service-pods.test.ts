import { expect, test } from 'vitest';
import { findPods } from '../../../src/operations/service-pods.ts';
import { answer, clusterOf } from '../cluster/kube-api.ts';
import { deadlineIn, rejection } from './waiting.ts';

const labels = { app: 'api' };
const service = { namespace: 'wardle', name: 'api', selector: labels };

const deployment = (replicas: number, podLabels: object = labels): object => ({
  metadata: { name: 'server', namespace: 'wardle', generation: 1 },
  spec: { replicas, template: { metadata: { labels: podLabels } } },
  status: { observedGeneration: 1 },
});

const ending = { metadata: { name: 'old', namespace: 'wardle', deletionTimestamp: '2026-11-28T10:00:00Z' }, status: { phase: 'Running' } };
const starting = { metadata: { name: 'new', namespace: 'wardle' }, status: { phase: 'Pending' } };

/** Looks in a cluster whose pods change with each list. */
async function find(deployments: readonly object[], ...pods: readonly (readonly object[])[]) {
  const states: string[] = [];
  let lists = 0;
  const cluster = await clusterOf(({ url }, response) => {
    const items = url.includes('/pods') ? pods[Math.min(lists, pods.length - 1)] : deployments;
    if (url.includes('/pods')) lists += 1;
    if (/\/deployments\/server$/.test(url)) return answer(response, 200, deployments[0]);
    answer(response, 200, { metadata: { resourceVersion: '1' }, items });
  });
  const found = findPods(
    { cluster, signal: deadlineIn(5_000), onProgress: (each) => each.kind === 'waiting' && states.push(`${each.what}: ${each.last}`) },
    service,
  );
  return { found: await rejection(found.then((all) => Promise.reject(all))), states };
}

test('between the old pods and the new ones of a rollout, the new ones are waited for', async () => {
  const { found, states } = await find([deployment(1)], [ending], [ending], [], [starting]);
  expect(found).toMatchObject([{ metadata: { name: 'new' } }]);
  expect(states).toEqual(['a pod of Service wardle/api to start: Deployment wardle/server: 0 of 1 pods updated, 0 available']);
});

test('pods that exist need no waiting', async () => {
  const { found, states } = await find([], [ending, starting]);
  expect(found).toMatchObject([{ metadata: { name: 'new' } }]);
  expect(states).toEqual([]);
});

test.each([
  ['no Deployment', [], 'Start the server first.'],
  ['a Deployment of other pods', [deployment(1, { app: 'other' })], 'Start the server first.'],
  ['a Deployment that is scaled to 0', [deployment(0)], 'Start the server first: kubectl -n wardle scale deployment/server --replicas=1'],
])('without pods, %s is refused at once', async (_, deployments, fix) => {
  expect((await find(deployments, [ending])).found).toMatchObject({
    exitCode: 1,
    message: 'Service wardle/api selects no running pod',
    fix,
  });
});
