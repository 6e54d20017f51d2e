import { expect, test } from 'vitest';
import type { Cluster } from '../../../../src/cluster/cluster.ts';
import type { Code } from '../../../../src/diagnosis/catalog.ts';
import type { ApiDiagnosis } from '../../../../src/diagnosis/types.ts';
import { DeadlineError, InterruptedError } from '../../../../src/errors.ts';
import { createEvents } from '../../../../src/operations/monitor/events.ts';
import { changedApis, mayResolveSoon } from '../../../../src/operations/monitor/state-changes.ts';
import { answer, clusterOf, never, type Received, status } from '../../cluster/kube-api.ts';
import { broken, healthy } from '../../report/diagnoses.ts';
import { rejection } from '../waiting.ts';

const [api] = broken.apis;
if (!api) throw new Error('no API');
const many = Array.from({ length: 25 }, (_, index): ApiDiagnosis => ({ ...api, name: `v1.g${index}.example.com` }));

/** @param created is called for each Event. @returns what is logged */
async function eventsOn(changed: readonly ApiDiagnosis[], created: (request: Received, count: number) => number, signal = never) {
  const logged: string[] = [];
  let count = 0;
  const cluster: Cluster = await clusterOf((request, response) => {
    if (request.method === 'GET') return answer(response, 200, { metadata: { name: api?.name, uid: 'uid-1' } });
    count += 1;
    const code = created(request, count);
    answer(response, code, code === 201 ? {} : status(code, 'Forbidden', 'no'));
  });
  const done = createEvents(cluster, changed, { signal, log: (line) => logged.push(line) });
  return { error: await rejection(done), logged, count: () => count };
}

test('an Event belongs to the APIService', async () => {
  let created: Received | undefined;
  const { logged } = await eventsOn([api], (request) => {
    created = request;
    return 201;
  });
  expect(logged).toEqual([]);
  expect(created?.url).toBe('/api/v1/namespaces/default/events');
  expect(JSON.parse(created?.body ?? '')).toMatchObject({
    metadata: { name: expect.stringMatching(`^${api.name}\\.[0-9a-f]+$`) },
    involvedObject: { kind: 'APIService', name: api.name, uid: 'uid-1' },
    type: 'Warning',
    reason: 'Broken',
    message: expect.stringContaining(`${api.findings[0]?.code}: `),
  });
});

test('each run creates at most 20 Events', async () => {
  const { logged, count } = await eventsOn(many, () => 201);
  expect(count()).toBe(20);
  expect(logged).toEqual(['5 Events not created: each run creates at most 20']);
});

test('an Event that is not allowed ends the others of the run, and is no error', async () => {
  const { error, logged, count } = await eventsOn(many, (_, number) => (number === 3 ? 403 : 201));
  expect(error).toBe('fulfilled');
  expect(count()).toBe(3);
  expect(logged).toEqual([expect.stringMatching(/^23 Events not created: not allowed to create .*: no$/)]);
  expect((await eventsOn([api], () => 403)).logged).toEqual([expect.stringMatching(/^Event not created: /)]);
});

test('the time limit of the run ends them, and an interrupt or a bug ends the monitor', async () => {
  const after = (reason: Error) => {
    const over = new AbortController();
    const created = (_: Received, number: number) => {
      if (number === 2) over.abort(reason);
      return 201;
    };
    return eventsOn(many, created, over.signal);
  };
  expect(await after(new DeadlineError('timed out after 30s'))).toMatchObject({
    error: 'fulfilled',
    logged: ['24 Events not created: timed out after 30s'],
  });
  const interrupted = new InterruptedError('SIGTERM');
  expect(await after(interrupted)).toMatchObject({ error: interrupted, logged: [] });
  // Not a diagnosis.
  expect(await eventsOn([{} as ApiDiagnosis], () => 201)).toMatchObject({ error: expect.any(TypeError), logged: [] });
});

test('only a changed verdict or finding is a change', () => {
  expect(changedApis(healthy, healthy)).toEqual([]);
  expect(changedApis(undefined, healthy)).toEqual([]);
  expect(changedApis(undefined, broken)).toEqual(broken.apis);
  expect(changedApis(healthy, broken)).toEqual(broken.apis);
  expect(changedApis(broken, { ...broken, takenAt: '2030-01-01T00:00:00Z' })).toEqual([]);
  expect(changedApis(broken, healthy)).toEqual(healthy.apis);
});

test('only a Secret that differs from what is served may resolve soon', () => {
  const withCodes = (...codes: readonly Code[]) => ({
    ...broken,
    apis: [...healthy.apis, { ...api, findings: codes.flatMap((code) => api.findings.slice(0, 1).map((each) => ({ ...each, code }))) }],
  });
  expect(mayResolveSoon(withCodes('cert/secret-differs'))).toBe(true);
  expect([healthy, broken, withCodes('cert/unknown-authority', 'cert/secret-missing')].map(mayResolveSoon)).toEqual([false, false, false]);
});
