import { expect, test } from 'vitest';
import { ClusterError } from '../../../../src/errors.ts';
import { createEvent } from '../../../../src/operations/monitor/events.ts';
import { changedApis } from '../../../../src/operations/monitor/state-changes.ts';
import { answer, clusterOf, never, type Received, status } from '../../cluster/kube-api.ts';
import { broken, healthy } from '../../report/diagnoses.ts';
import { rejection } from '../waiting.ts';

const [api] = broken.apis;
if (!api) throw new Error('no API');
const now = new Date('2026-06-15T12:00:00Z');

test('an Event belongs to the APIService', async () => {
  let created: Received | undefined;
  const cluster = await clusterOf((request, response) => {
    if (request.method === 'GET') return answer(response, 200, { metadata: { name: api.name, uid: 'uid-1' } });
    created = request;
    answer(response, 201, {});
  });
  await createEvent(cluster, api, now, never);
  expect(created?.url).toBe('/api/v1/namespaces/default/events');
  expect(JSON.parse(created?.body ?? '')).toMatchObject({
    metadata: { name: `${api.name}.${now.getTime().toString(16)}` },
    involvedObject: { kind: 'APIService', name: api.name, uid: 'uid-1' },
    type: 'Warning',
    reason: 'Broken',
    message: expect.stringContaining(`${api.findings[0]?.code}: `),
  });
});

test('an Event that is not allowed is an error', async () => {
  const cluster = await clusterOf(({ method }, response) =>
    method === 'GET' ? answer(response, 200, { metadata: { name: api.name } }) : answer(response, 403, status(403, 'Forbidden', 'no')),
  );
  expect(await rejection(createEvent(cluster, api, now, never))).toBeInstanceOf(ClusterError);
});

test('only a changed verdict or finding is a change', () => {
  expect(changedApis(healthy, healthy)).toEqual([]);
  expect(changedApis(undefined, healthy)).toEqual([]);
  expect(changedApis(undefined, broken)).toEqual(broken.apis);
  expect(changedApis(healthy, broken)).toEqual(broken.apis);
  expect(changedApis(broken, { ...broken, takenAt: '2030-01-01T00:00:00Z' })).toEqual([]);
  expect(changedApis(broken, healthy)).toEqual(healthy.apis);
});
