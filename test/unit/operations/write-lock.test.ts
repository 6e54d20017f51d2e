import { expect, test } from 'vitest';
import { type Holder, identityOf, journalAnnotation } from '../../../src/cluster/rotation-lease.ts';
import { mergePatch } from '../../../src/config/merge-patch.ts';
import type { Progress } from '../../../src/operations/progress.ts';
import { excludeRotations, type WriteLock } from '../../../src/operations/write-lock.ts';
import { answer, clusterOf, never, notFound, status } from '../cluster/kube-api.ts';
import { rejection } from './waiting.ts';

const alice: Holder = { user: 'alice', host: 'laptop', id: '7b0f5a52-93a5-4f0e-8a11-0c6a3f1f0a01' };
const bob: Holder = { user: 'bob', host: 'ci', id: '1c9d6be4-5b58-4c0e-9d5e-6f2f6f0b0b02' };

// biome-ignore lint/suspicious/noExplicitAny: JSON of Kubernetes objects.
type Json = any;

const journal = {
  ...{ kind: 'leaf', direction: 'forward', step: 'secret', number: 2, steps: 4, title: 'Writing the Secret' },
  ...{ started: '2026-11-28T10:00:00.123Z', holder: 'alice@laptop' },
};

const leaseOf = (spec: object, annotations: object = {}): Json => ({
  metadata: { name: 'apisvc-rotation-api', namespace: 'wardle', resourceVersion: '1', annotations },
  spec,
});
const interrupted = leaseOf({ holderIdentity: '' }, { [journalAnnotation]: JSON.stringify(journal) });

/** A cluster with one Lease. */
async function leasing({
  start,
  forbidden = [],
  namespace = true,
  refused,
}: {
  start?: Json;
  forbidden?: string[];
  namespace?: boolean;
  refused?: string;
} = {}) {
  const server = { lease: start as Json | undefined };
  const cluster = await clusterOf(({ method, url, body }, response) => {
    if (url.includes('selfsubjectaccessreviews')) {
      const { verb } = JSON.parse(body).spec.resourceAttributes;
      answer(response, 201, { status: { allowed: !forbidden.includes(verb) } });
    } else if (method === 'POST' && refused !== undefined) {
      answer(response, 403, status(403, 'Forbidden', refused));
    } else if (method === 'POST' && !namespace) {
      answer(response, 404, status(404, 'NotFound', 'namespaces "wardle" not found', { name: 'wardle', kind: 'namespaces' }));
    } else if (method === 'POST') {
      server.lease = JSON.parse(body);
      answer(response, 201, server.lease);
    } else if (!server.lease) answer(response, 404, notFound(url));
    else if (method === 'DELETE') {
      server.lease = undefined;
      answer(response, 200, {});
    } else {
      if (method === 'PATCH') server.lease = mergePatch(server.lease, JSON.parse(body));
      answer(response, 200, server.lease);
    }
  });
  const progress: Progress[] = [];
  const run = (work: (lock: WriteLock) => Promise<void>, { signal = never, isContended = true } = {}) =>
    excludeRotations(
      cluster,
      {
        ...{ service: { namespace: 'wardle', name: 'api' }, directory: '.', project: 'wardle/api', holder: bob },
        ...{ signal, isContended, onProgress: (each: Progress) => progress.push(each) },
      },
      work,
    );
  return { server, run, progress };
}

test('the Lease is held while the work runs, and deleted afterwards', async () => {
  const { server, run } = await leasing();
  await run(async ({ beforeWrite }) => {
    await beforeWrite();
    expect(server.lease).toMatchObject({ spec: { holderIdentity: identityOf(bob) }, metadata: { annotations: expect.any(Object) } });
    expect(server.lease.metadata.annotations[journalAnnotation]).toBeUndefined();
  });
  expect(server.lease).toBeUndefined();
});

test('the Lease is deleted after an error and after Ctrl-C', async () => {
  const { server, run } = await leasing();
  expect(await rejection(run(() => Promise.reject(new Error('no'))))).toMatchObject({ message: 'no' });
  expect(server.lease).toBeUndefined();
  const stop = new AbortController();
  const work = async ({ signal }: WriteLock): Promise<void> => {
    stop.abort(new Error('Ctrl-C'));
    signal.throwIfAborted();
  };
  expect(await rejection(run(work, { signal: stop.signal }))).toMatchObject({ message: 'Ctrl-C' });
  expect(server.lease).toBeUndefined();
});

test('a rotation that recorded a step just before is refused, and its journal stays', async () => {
  const { server, run } = await leasing({ start: interrupted });
  expect(await rejection(run(() => Promise.reject(new Error('ran'))))).toMatchObject({
    exitCode: 1,
    message: expect.stringMatching(/it started at 2026-11-28T10:00:00Z, and was last run by alice@laptop\nnothing was changed$/),
  });
  expect(server.lease).toMatchObject({ spec: { holderIdentity: '' }, metadata: interrupted.metadata });
});

test('a process that takes the Lease over keeps the next write from being sent', async () => {
  const { server, run } = await leasing();
  const refused = run(async ({ beforeWrite }) => {
    server.lease = undefined;
    await beforeWrite();
  });
  expect(await rejection(refused)).toMatchObject({ message: 'Lease wardle/apisvc-rotation-api was deleted; this command stops' });
});

test.each([
  ['nothing that a rotation writes exists yet', {}, { isContended: false }],
  ['the namespace does not exist yet', { namespace: false }, {}],
  ['the user may not create the Lease', { forbidden: ['create'] }, {}],
])('where %s, a rotation is looked for before each write', async (_, cluster, how) => {
  const { server, run } = await leasing(cluster);
  const refused = run(async ({ beforeWrite }) => {
    await beforeWrite();
    server.lease = interrupted;
    await beforeWrite();
  }, how);
  expect(await rejection(refused)).toMatchObject({ exitCode: 1, message: expect.stringMatching(/was last run by alice@laptop$/) });
});

test('missing permissions are noted once', async () => {
  const one = await leasing({ forbidden: ['create', 'delete'] });
  await one.run(({ beforeWrite }) => beforeWrite());
  expect(one.progress).toEqual([
    {
      kind: 'note',
      what: 'not allowed to create, delete Lease wardle/apisvc-rotation-api; checking for a rotation before each write instead',
    },
  ]);
  const none = await leasing({ forbidden: ['get', 'create', 'patch', 'delete'] });
  await none.run(async () => {});
  expect(none.progress).toEqual([]);
});

test('a Lease that the cluster refuses is named with the reason', async () => {
  const { run, progress } = await leasing({ refused: 'namespace "wardle" is being terminated' });
  await run(({ isHeld }) => Promise.resolve(expect(isHeld).toBe(false)));
  expect(progress).toEqual([
    {
      kind: 'note',
      what: expect.stringMatching(
        /^failed to acquire Lease wardle\/apisvc-rotation-api \([^)]*namespace "wardle" is being terminated\S*\); checking for a rotation/,
      ),
    },
  ]);
});

test('another process that renews the Lease is named', async () => {
  const spec = (second: number) => ({
    ...{ holderIdentity: identityOf(alice), leaseDurationSeconds: 15, acquireTime: '2026-11-28T10:00:00.000000Z' },
    renewTime: `2026-11-28T10:00:0${second}.000000Z`,
  });
  const { server, run, progress } = await leasing({ start: leaseOf(spec(0)) });
  const refused = rejection(run(() => Promise.reject(new Error('ran'))));
  const renewing = setInterval(() => {
    if (progress.length > 0) server.lease = leaseOf(spec(1));
  }, 20);
  expect(await refused).toMatchObject({
    exitCode: 1,
    message: 'alice@laptop has been changing the certificate of Service wardle/api since 2026-11-28T10:00:00Z\nnothing was changed',
    fix: 'Wait until that command is complete. To see the certificate: apisvc status',
  });
  clearInterval(renewing);
});
