import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { acquireRotationLease, type RotationLock } from '../../../src/cluster/lease.ts';
import { type Holder, identityOf, type Journal, journalAnnotation, viewRotationLease } from '../../../src/cluster/rotation-lease.ts';
import { mergePatch } from '../../../src/config/merge-patch.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { answer, clusterOf, never, notFound, type Received, status } from './kube-api.ts';

const service = { namespace: 'wardle', name: 'api' };
const alice: Holder = { user: 'alice', host: 'laptop', id: '7b0f5a52-93a5-4f0e-8a11-0c6a3f1f0a01' };
const bob: Holder = { user: 'bob', host: 'ci', id: '1c9d6be4-5b58-4c0e-9d5e-6f2f6f0b0b02' };
const path = '/apis/coordination.k8s.io/v1/namespaces/wardle/leases';

const journal: Journal = {
  kind: 'ca',
  direction: 'forward',
  step: 'secret',
  number: 4,
  steps: 9,
  title: 'Writing the Secret',
  started: '2026-11-28T10:00:00Z',
  holder: 'alice@laptop',
  oldCertificate: 'AA',
  newCertificate: 'BB',
};

/** kube-apiserver with one Lease, which checks resourceVersions. */
async function leaseServer(start?: object) {
  let lease: KubeObject | undefined;
  let version = 0;
  const received: Received[] = [];
  /** Answers instead of the server. @returns whether it did */
  const server = { aside: (_request: Received, _response: ServerResponse): boolean => false };
  const store = (object: KubeObject): KubeObject => {
    version += 1;
    lease = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } } as KubeObject;
    return lease;
  };
  const versionOf = (object: unknown): unknown => (object as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion;
  const leaseOf = (spec: object, annotations?: object): KubeObject =>
    ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'apisvc-rotation-api', namespace: 'wardle', annotations },
      spec,
    }) as KubeObject;
  if (start) store(leaseOf(start));
  const cluster = await clusterOf((request, response) => {
    received.push(request);
    if (server.aside(request, response)) return;
    const body = request.body === '' ? {} : JSON.parse(request.body);
    const conflict = (): void => answer(response, 409, status(409, 'Conflict', 'the object has been modified'));
    if (request.method === 'POST') {
      if (lease) answer(response, 409, status(409, 'AlreadyExists', 'already exists'));
      else answer(response, 201, store(body));
    } else if (!lease) answer(response, 404, notFound(request.url));
    else if (request.method === 'GET') answer(response, 200, lease);
    else if (request.method === 'DELETE') {
      if (body.preconditions.resourceVersion !== versionOf(lease)) return conflict();
      lease = undefined;
      answer(response, 200, {});
    } else if (versionOf(body) !== versionOf(lease)) conflict();
    else answer(response, 200, store(mergePatch(lease, body) as unknown as KubeObject));
  });
  return {
    cluster,
    received,
    server,
    found: () => lease,
    view: () => viewRotationLease(lease as KubeObject),
    write: (spec: object, annotations?: object) => store(leaseOf(spec, annotations)),
    touch: () => store(lease as KubeObject),
    renew: (renewTime: string) => store(mergePatch(lease, { spec: { renewTime } }) as unknown as KubeObject),
    remove: () => {
      lease = undefined;
    },
  };
}

async function acquire(
  cluster: Awaited<ReturnType<typeof leaseServer>>['cluster'],
  holder = alice,
  renewMs = 100_000,
): Promise<RotationLock> {
  const lock = await acquireRotationLease(cluster, { service, project: 'wardle/api', holder, signal: never, renewMs });
  onTestFinished(() => lock.stop());
  return lock;
}

const heldBy = (holder: Holder, more: object = {}): object => ({
  holderIdentity: identityOf(holder),
  acquireTime: '2026-11-28T10:00:00.123456Z',
  renewTime: '2026-11-28T10:00:05.000000Z',
  leaseDurationSeconds: 1,
  ...more,
});

describe('a Lease that nobody holds', () => {
  test('is created, records the rotation, and is deleted', async () => {
    const { cluster, received, found, view } = await leaseServer();
    const lock = await acquire(cluster);
    expect(received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET ${path}/apisvc-rotation-api`,
      `POST ${path}?fieldManager=apisvc`,
    ]);
    expect(view()).toMatchObject({ holder: 'alice@laptop', durationSeconds: 15, journal: undefined });
    expect(view().renewed).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(view().identity).toBe('alice@laptop_7b0f5a52-93a5-4f0e-8a11-0c6a3f1f0a01');
    expect(lock.journal).toBeUndefined();
    await lock.record(journal);
    expect(view().journal).toEqual(journal);
    await lock.release();
    expect(found()).toBeUndefined();
    await lock.stop();
    expect(lock.lost.aborted).toBe(false);
  });

  test('is deleted by a run that stops before its first step', async () => {
    const { cluster, found } = await leaseServer();
    await (await acquire(cluster)).stop();
    expect(found()).toBeUndefined();
  });

  // The containers of a CI system may all have one host name, and one process id.
  const twin: Holder = { ...alice, id: '3d3c1a77-0f3e-4a55-b1de-9a4a1d0c0c03' };
  test.each([
    ['two machines', bob],
    ['two containers with one host name', twin],
  ])('is taken by one of two processes on %s', async (_, other) => {
    const { cluster, view } = await leaseServer();
    const results = await Promise.allSettled([alice, other].map((holder) => acquire(cluster, holder, 20)));
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const [won] = results.filter(({ status }) => status === 'fulfilled');
    const [refused] = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(won).toBeDefined();
    expect(refused).toMatchObject({ name: 'RefusedError', exitCode: 1 });
    expect(refused.message).toContain(`${view().holder} has been changing the certificate of Service wardle/api since `);
  });
});

describe('a Lease that another process holds', () => {
  test('is refused as soon as it is renewed', async () => {
    const { cluster, renew, server, view } = await leaseServer(heldBy(bob, { leaseDurationSeconds: 60 }));
    server.aside = () => {
      renew(new Date().toISOString());
      return false;
    };
    await expect(acquire(cluster)).rejects.toThrow(
      'bob@ci has been changing the certificate of Service wardle/api since 2026-11-28T10:00:00Z',
    );
    expect(view().holder).toBe('bob@ci');
  });

  test('is taken over when it is not renewed for its duration, with its journal', async () => {
    const { cluster, view, write } = await leaseServer();
    write(heldBy(bob, { leaseTransitions: 2 }), { [journalAnnotation]: JSON.stringify(journal) });
    const lock = await acquire(cluster);
    expect(lock.journal).toEqual(journal);
    expect(view()).toMatchObject({ holder: 'alice@laptop', transitions: 3, journal, durationSeconds: 15 });
  });

  test('is taken over at once when nobody holds it', async () => {
    const { cluster, view, received } = await leaseServer(heldBy(bob, { holderIdentity: '', leaseDurationSeconds: 3600 }));
    await acquire(cluster);
    expect(view().holder).toBe('alice@laptop');
    expect(received).toHaveLength(2);
  });

  test('is taken over as soon as its holder gives it up, and the wait names the holder', async () => {
    const { cluster, write, server, view } = await leaseServer(heldBy(bob, { leaseDurationSeconds: 60 }));
    const waits: string[] = [];
    let looks = 0;
    server.aside = ({ method }) => {
      looks += method === 'GET' ? 1 : 0;
      if (looks === 2) write(heldBy(bob, { holderIdentity: '', leaseDurationSeconds: 60 }));
      return false;
    };
    const lock = await acquireRotationLease(cluster, {
      service,
      project: 'wardle/api',
      holder: alice,
      signal: never,
      onWait: ({ holder }) => waits.push(holder),
    });
    onTestFinished(() => lock.stop());
    expect(view().holder).toBe('alice@laptop');
    expect(waits).toEqual(['bob@ci']);
  });

  test('is not renewed by somebody who changes its metadata', async () => {
    const { cluster, touch, server, view } = await leaseServer(heldBy(bob));
    server.aside = ({ method }) => {
      if (method === 'GET') touch();
      return false;
    };
    await acquire(cluster);
    expect(view().holder).toBe('alice@laptop');
  });

  test('names the process that took it meanwhile, not the one before', async () => {
    const { cluster, write, server } = await leaseServer(heldBy(alice, { leaseDurationSeconds: 60 }));
    const carol: Holder = { ...alice, user: 'carol', id: '5f5a3c99-2a50-4c77-93f0-bc6c3f2e0e05' };
    server.aside = ({ method }, _) => {
      if (method === 'GET') setImmediate(() => write(heldBy(bob, { leaseDurationSeconds: 60 })));
      return false;
    };
    await expect(acquire(cluster, carol)).rejects.toThrow('bob@ci has been changing');
  });

  test('is created again when that rotation ends meanwhile', async () => {
    const { cluster, remove, server, view } = await leaseServer(heldBy(bob, { leaseDurationSeconds: 60 }));
    server.aside = ({ method }) => {
      if (method === 'GET') setImmediate(remove);
      return false;
    };
    await acquire(cluster);
    expect(view().holder).toBe('alice@laptop');
  });
});

describe('a Lease that is held', () => {
  test('is renewed, also after another writer changed it', async () => {
    const { cluster, received, touch, view } = await leaseServer();
    await acquire(cluster, alice, 5);
    const first = view().renewed;
    touch();
    await expect.poll(() => view().renewed).not.toBe(first);
    expect(received.some(({ method, body }) => method === 'PATCH' && !body.includes('holderIdentity'))).toBe(true);
  });

  test.each<[string, (server: Awaited<ReturnType<typeof leaseServer>>) => unknown, string]>([
    ['taken over', ({ write }) => write(heldBy(bob)), 'bob@ci took over Lease wardle/apisvc-rotation-api; this command stops'],
    ['deleted', ({ remove }) => remove(), 'Lease wardle/apisvc-rotation-api was deleted; this command stops'],
  ])('aborts the run when it is %s', async (_, disturb, words) => {
    const server = await leaseServer();
    const lock = await acquire(server.cluster, alice, 5);
    disturb(server);
    if (!lock.lost.aborted) await once(lock.lost, 'abort');
    expect(lock.lost.reason).toMatchObject({ name: 'RefusedError', message: words });
    expect(lock.signal.reason).toBe(lock.lost.reason);
    await expect(lock.record(journal)).rejects.toThrow(words);
    const left = server.found();
    await lock.stop();
    expect(server.found()).toEqual(left);
  });

  test('is not lost while kube-apiserver does not answer', async () => {
    const { cluster, server, view } = await leaseServer();
    const lock = await acquire(cluster);
    let refused = 0;
    server.aside = (_, response) => {
      refused += 1;
      if (refused > 2) return false;
      response.destroy();
      return true;
    };
    await lock.record(journal);
    expect(refused).toBeGreaterThan(2);
    expect(view().journal).toEqual(journal);
    expect(lock.lost.aborted).toBe(false);
  });

  test('is lost without the permission to renew it', async () => {
    const { cluster, server } = await leaseServer();
    const lock = await acquire(cluster, alice, 5);
    server.aside = (_, response) => {
      answer(response, 403, status(403, 'Forbidden', 'leases is forbidden'));
      return true;
    };
    await once(lock.lost, 'abort');
    expect(lock.lost.reason.message).toContain('not allowed to patch lease/wardle/apisvc-rotation-api');
  });

  test('is given up when the run stops, and keeps its journal, which names who ran a step, not who tried to', async () => {
    const { cluster, view } = await leaseServer();
    const first = await acquire(cluster);
    await first.record(journal);
    await first.stop();
    expect(view()).toMatchObject({ identity: '', journal });
    await (await acquire(cluster, bob)).stop();
    expect(view()).toMatchObject({ identity: '', journal: { holder: 'alice@laptop' } });
  });

  test('is renewed on request, until another process took it', async () => {
    const { cluster, renew, write, view } = await leaseServer();
    const lock = await acquire(cluster);
    renew('2026-11-28T10:00:05.000000Z');
    await lock.renew();
    expect(view().renewed).not.toBe('2026-11-28T10:00:05.000000Z');
    write(heldBy(bob));
    await expect(lock.renew()).rejects.toThrow('bob@ci took over Lease wardle/apisvc-rotation-api; this command stops');
    expect(view().holder).toBe('bob@ci');
  });
});

test.each(['', 'no JSON', '{}', '{"kind":"other"}'])('a journal that cannot be read is none: %j', (text) => {
  const lease = { metadata: { name: 'x', annotations: { [journalAnnotation]: text } } } as unknown as KubeObject;
  expect(viewRotationLease(lease)).toMatchObject({ holder: '', durationSeconds: 15, journal: undefined });
});
