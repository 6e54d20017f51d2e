import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Registration } from '../../../../src/config/schema.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import type { Look } from '../../../../src/operations/rotation/look.ts';
import { nudgePods } from '../../../../src/operations/rotation/nudge.ts';
import type { Rotation } from '../../../../src/operations/rotation/rotation.ts';
import { reloadMs } from '../../../../src/operations/served.ts';
import { restarts } from '../../../../src/operations/steps/restarts.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';
import { rejection } from '../waiting.ts';

const registration = {
  metadata: { namespace: 'wardle', name: 'api' },
  spec: { service: { name: 'api' }, certificates: {}, server: {} },
} as unknown as Registration;

const podNamed = (name: string): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'wardle', ownerReferences: [{ kind: 'ReplicaSet', name: 'api-1' }] },
    spec: { containers: [] },
  }) as unknown as KubeObject;

/** A pod that serves another certificate. */
const lookAt = (pod: KubeObject) => ({ pods: [pod], others: [{ pod: pod.metadata.name }] }) as unknown as Pick<Look, 'others' | 'pods'>;

/** A cluster with a Deployment that rolls out at once. */
async function situation(more: Partial<Rotation> = {}, aside: (path: string, response: ServerResponse) => boolean = () => false) {
  const writes: string[] = [];
  const progress: Progress[] = [];
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace: 'wardle', uid: 'api', generation: 1 },
    spec: { replicas: 1, selector: { matchLabels: { app: 'api' } } },
    status: { observedGeneration: 1, updatedReplicas: 1, availableReplicas: 1, replicas: 1 },
  };
  const cluster = await clusterOf(({ method, url }, response) => {
    const path = url.split('?')[0] ?? '';
    if (method === 'PATCH') writes.push(path.split('/').at(-1) ?? '');
    if (aside(path, response)) return;
    if (path.endsWith('/replicasets/api-1'))
      answer(response, 200, { metadata: { name: 'api-1', ownerReferences: [{ kind: 'Deployment', name: 'api' }] } });
    else if (path.endsWith('/deployments/api')) answer(response, 200, deployment);
    else if (path.includes('/pods/')) answer(response, 200, podNamed('a'));
    else answer(response, 200, { metadata: { resourceVersion: '1' }, items: path.endsWith('/deployments') ? [deployment] : [] });
  });
  const rotation = {
    ...{ cluster, signal: never, registration, restart: 'auto', direction: 'forward', to: { leaf: 'AB:CD' } },
    onProgress: (each: Progress) => progress.push(each),
    ...more,
  } as unknown as Rotation;
  const notes = (): string[] => progress.flatMap((each) => (each.kind === 'note' ? [each.what] : []));
  return { rotation, restarts: restarts(rotation), writes, notes };
}

test('a rollout is awaited although kube-apiserver is not reachable when it begins', async () => {
  let lost = 0;
  const { restarts, writes } = await situation({}, (path, response) => {
    if (!path.endsWith('/deployments') || lost >= 3) return false;
    lost += 1;
    response.destroy();
    return true;
  });
  await restarts.consider(lookAt(podNamed('a')), reloadMs + 1);
  expect(restarts.isRollingOut()).toBe(true);
  await expect.poll(() => restarts.isRollingOut(), { timeout: 10_000 }).toBe(false);
  expect({ writes, lost }).toEqual({ writes: ['api'], lost: 3 });
});

test.each([
  ['a rotation', {}, ['To roll back: apisvc rotate --abort']],
  ['the way back', { direction: 'back' }, []],
  ['secure', { undo: 'apisvc secure v1.example.com --undo' }, ['To roll back: apisvc secure v1.example.com --undo']],
] as const)('a restart that does not help names the way back of %s', async (_, more, wayBack) => {
  const { restarts } = await situation(more);
  const look = lookAt(podNamed('a'));
  await restarts.consider(look, reloadMs + 1);
  await expect.poll(() => restarts.isRollingOut()).toBe(false);
  const later = performance.now() + reloadMs + 1;
  vi.spyOn(performance, 'now').mockReturnValue(later);
  onTestFinished(() => void vi.restoreAllMocks());
  expect(await rejection(restarts.consider(look, reloadMs + 1))).toMatchObject({
    exitCode: 1,
    message: 'pod a still serves a different certificate than the one in Secret wardle/api-tls after a restart',
    fix: ['Check the certificate flags and the volumes of the server.', ...wayBack].join('\n'),
  });
});

test('the pods of a Deployment that was deleted meanwhile are not restarted', async () => {
  const { restarts, notes } = await situation({}, (path, response) => {
    if (!path.endsWith('/deployments/api')) return false;
    answer(response, 404, notFound(path));
    return true;
  });
  for (let look = 0; look < 2; look += 1) await restarts.consider(lookAt(podNamed('a')), reloadMs + 1);
  expect(restarts.isRollingOut()).toBe(false);
  expect(notes()).toEqual(['restarting the pods of Deployment wardle/api: pod a: it still serves another certificate after 100s']);
});

test('a pod without a Deployment is named, with why it needs a restart', async () => {
  const { restarts, writes, notes } = await situation();
  const { ownerReferences, ...metadata } = podNamed('a').metadata as KubeObject['metadata'] & { ownerReferences: object };
  await restarts.consider(lookAt({ ...podNamed('a'), metadata }), reloadMs + 1);
  expect(notes()).toEqual(['restart pod a, which does not belong to a Deployment: it still serves another certificate after 100s']);
  expect(writes).toEqual([]);
});

test('a pod that was deleted meanwhile needs no nudge', async () => {
  const { rotation, writes } = await situation({}, (path, response) => {
    if (!path.endsWith('/pods/b')) return false;
    answer(response, 404, notFound(path));
    return true;
  });
  await nudgePods(rotation, ['a', 'b', 'c'].map(podNamed));
  expect(writes.sort()).toEqual(['a', 'b', 'c']);
});
