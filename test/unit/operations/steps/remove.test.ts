import { expect, test } from 'vitest';
import { refOf } from '../../../../src/cluster/objects.ts';
import { projectAnnotation } from '../../../../src/manifests/labels.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import { removeStep } from '../../../../src/operations/steps/remove.ts';
import { answer, clusterOf, never, notFound, status } from '../../cluster/kube-api.ts';
import { apiService, managedBy, service, withMetadata } from '../objects.ts';
import { rejection } from '../waiting.ts';

const applied = { ...managedBy(['apisvc', 'Apply']), labels: { 'app.kubernetes.io/managed-by': 'apisvc' } };
const ours = (object: KubeObject, uid: string, project = 'wardle/api') =>
  withMetadata(object, { ...applied, uid, annotations: { [projectAnnotation]: project } });

/** Removes what was found from a cluster that holds `present` by now. */
async function removing(found: KubeObject, present: KubeObject, action: 'delete' | 'restore', ofAnybody = false) {
  const writes: string[] = [];
  const progress: Progress[] = [];
  const cluster = await clusterOf(({ method }, response) => {
    if (method !== 'GET') writes.push(method);
    answer(response, 200, present);
  });
  const waiting = { cluster, signal: never, onProgress: (each: Progress) => progress.push(each) };
  const step = removeStep(waiting, { id: 'remove', title: 'Removing', targets: [{ ref: refOf(found), found, action, ofAnybody }] });
  return { step, writes };
}

const left = (object: string) => [{ object, change: 'left', reason: 'has been replaced or taken over since it was found' }];

test.each<['delete' | 'restore', string, KubeObject]>([
  ['delete', 'another object of its name', ours(service, '2')],
  ['delete', 'an object that another project took over', ours(service, '1', 'other/api')],
  ['restore', 'another object of its name', ours(service, '2')],
  ['restore', 'an object that another project took over', ours(service, '1', 'other/api')],
])('%s leaves %s', async (action, _, present) => {
  const { step, writes } = await removing(ours(service, '1'), present, action);
  expect(await step.observe()).toEqual({ state: 'done' });
  await step.run();
  expect(step.removed()).toEqual(left('service/wardle/api'));
  expect(writes).toEqual([]);
});

test('an APIService that apisvc did not create is left when it was changed since then', async () => {
  const version = (resourceVersion: string) => withMetadata(apiService, { uid: '1', resourceVersion });
  const { step, writes } = await removing(version('1'), version('2'), 'delete', true);
  expect(await step.observe()).toEqual({ state: 'pending' });
  expect(await rejection(step.run())).toMatchObject({
    message: 'apiservice/v1.example.com has changed since it was found, so it is kept',
    fix: 'Run the same command again.',
  });
  expect(writes).toEqual([]);
});

test('an object that a controller changes meanwhile is read again, and then deleted', async () => {
  const versions = [1, 2].map((version) => withMetadata(ours(service, '1'), { resourceVersion: `${version}` }));
  let [present] = versions;
  const deleted: string[] = [];
  const cluster = await clusterOf(({ method, body, url }, response) => {
    if (method === 'GET') return present ? answer(response, 200, present) : answer(response, 404, notFound(url));
    const { preconditions } = JSON.parse(body);
    deleted.push(preconditions.resourceVersion);
    if (deleted.length > 1) {
      present = undefined;
      return answer(response, 200, {});
    }
    [, present] = versions;
    answer(response, 409, status(409, 'Conflict', 'Precondition failed'));
  });
  const [found] = versions;
  if (!found) throw new Error('no object');
  const waiting = { cluster, signal: never, onProgress: () => {} };
  const step = removeStep(waiting, { id: 'remove', title: 'Removing', targets: [{ ref: refOf(found), found, action: 'delete' }] });
  await step.run();
  expect(deleted).toEqual(['1', '2']);
  expect(step.removed()).toEqual([{ object: 'service/wardle/api', change: 'deleted' }]);
});
