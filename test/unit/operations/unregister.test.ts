import { expect, test } from 'vitest';
import { refOf } from '../../../src/cluster/objects.ts';
import { identityOf, journalAnnotation } from '../../../src/cluster/rotation-lease.ts';
import { mergePatch } from '../../../src/config/merge-patch.ts';
import { projectAnnotation } from '../../../src/manifests/labels.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import type { Progress } from '../../../src/operations/progress.ts';
import { unregister } from '../../../src/operations/unregister.ts';
import { answer, clusterOf, never, notFound } from '../cluster/kube-api.ts';
import { apiService, managedBy, service, withMetadata } from './objects.ts';
import { rejection } from './waiting.ts';

const ours = (object: KubeObject): KubeObject =>
  withMetadata(object, {
    uid: '1',
    labels: { 'app.kubernetes.io/managed-by': 'apisvc' },
    annotations: { [projectAnnotation]: 'wardle/api' },
    ...managedBy(['apisvc', 'Apply']),
  });
const created = ours(service);

const holder = { user: 'bob', host: 'ci', id: '1c9d6be4-5b58-4c0e-9d5e-6f2f6f0b0b02' };

test('a rotation that began while the user read the plan is refused, and nothing is changed', async () => {
  const writes: string[] = [];
  let renewals = 0;
  const cluster = await clusterOf(({ method, url }, response) => {
    if (method !== 'GET') writes.push(`${method} ${url}`);
    if (url.endsWith('/leases/apisvc-rotation-api')) {
      renewals += 1;
      const renewTime = `2026-05-01T10:00:0${renewals % 10}.000000Z`;
      const spec = { holderIdentity: 'alice@laptop', acquireTime: '2026-05-01T10:00:00.000000Z', renewTime, leaseDurationSeconds: 1 };
      const metadata = { name: 'apisvc-rotation-api', namespace: 'wardle', resourceVersion: `${renewals}` };
      return answer(response, 200, { metadata, spec });
    }
    if (url.includes('/leases?')) return answer(response, 200, { metadata: { resourceVersion: '1' }, items: [] });
    answer(response, 404, notFound(url));
  });
  const plan = {
    project: 'wardle/api',
    targets: [{ ref: refOf(created), found: created, action: 'delete' as const }],
    services: [{ namespace: 'wardle', name: 'api' }],
    evidence: [],
  };
  const subject = { project: 'wardle/api' };
  const running = unregister(cluster, { subject, plan, keepSecrets: false, holder, signal: never, onProgress: () => {} });
  expect(await rejection(running)).toMatchObject({
    exitCode: 1,
    message: 'alice@laptop has been changing the certificate of Service wardle/api since 2026-05-01T10:00:00Z\nnothing was changed',
  });
  expect(writes).toEqual([]);
});

// biome-ignore lint/suspicious/noExplicitAny: JSON of Kubernetes objects.
type Json = any;

const leaseName = 'apisvc-rotation-api';
const leaseOf = (spec: object, annotations: object = {}): Json => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: leaseName, namespace: 'wardle', resourceVersion: '1', annotations },
  spec,
});
const journal = {
  ...{ kind: 'leaf', direction: 'forward', step: 'secret', number: 2, steps: 4, title: 'Writing the Secret' },
  ...{ started: '2026-11-28T10:00:00.123Z', holder: 'alice@laptop' },
};
const interrupted = leaseOf({ holderIdentity: '' }, { [journalAnnotation]: JSON.stringify(journal), [projectAnnotation]: 'wardle/api' });

interface Situation {
  readonly lease?: Json;
  readonly mayCreateLeases?: boolean;
  /** Called after each DELETE of an object. */
  readonly afterDelete?: (server: { lease: Json }) => void;
}

/** Unregisters an APIService, its Service and its Secret. */
async function unregistering({ lease, mayCreateLeases = true, afterDelete }: Situation = {}) {
  const secret: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'api-tls', namespace: 'wardle' } };
  const objects = new Map(
    [ours(apiService), created, ours(secret)].map((object) => [`/${refOf(object).resource.plural}/${object.metadata.name}`, object]),
  );
  const server = { lease };
  const writes: string[] = [];
  const cluster = await clusterOf(({ method, url, body }, response) => {
    if (url.includes('selfsubjectaccessreviews')) {
      const { verb, resource } = JSON.parse(body).spec.resourceAttributes;
      return answer(response, 201, { status: { allowed: mayCreateLeases || resource !== 'leases' || verb !== 'create' } });
    }
    if (url.includes('/leases?') && method === 'GET') {
      return answer(response, 200, { metadata: { resourceVersion: '1' }, items: server.lease ? [server.lease] : [] });
    }
    if (url.includes('/leases')) {
      if (method !== 'GET') writes.push(`${method} Lease`);
      if (method === 'POST') server.lease = JSON.parse(body);
      else if (!server.lease) return answer(response, 404, notFound(url));
      if (method === 'PATCH') server.lease = mergePatch(server.lease, JSON.parse(body));
      answer(response, method === 'POST' ? 201 : 200, server.lease);
      if (method === 'DELETE') server.lease = undefined;
      return;
    }
    const path = [...objects.keys()].find((each) => url.endsWith(each));
    const found = path && objects.get(path);
    if (!found) return answer(response, 404, notFound(url));
    if (method === 'DELETE') {
      writes.push(`DELETE ${found.kind}`);
      objects.delete(path);
      afterDelete?.(server);
    }
    answer(response, 200, found);
  });
  const targets = [...objects.values()].map((found) => ({ ref: refOf(found), found, action: 'delete' as const }));
  const rotations = lease ? [{ ref: refOf(lease), found: lease, action: 'delete' as const, ofAnybody: true }] : [];
  const plan = {
    project: 'wardle/api',
    targets: [...rotations, ...targets],
    services: [{ namespace: 'wardle', name: 'api' }],
    evidence: [],
  };
  const progress: Progress[] = [];
  const subject = { project: 'wardle/api' };
  const request = { subject, plan, keepSecrets: false, holder, signal: never, onProgress: (each: Progress) => void progress.push(each) };
  return { result: await unregister(cluster, request).catch((reason: unknown) => reason), writes, server, progress };
}

test('the Lease is held from before the first object is removed until the last one is gone', async () => {
  const { result, writes, server } = await unregistering();
  expect(writes).toEqual([
    ...['POST Lease', 'PATCH Lease', 'DELETE APIService', 'DELETE Service'],
    ...['PATCH Lease', 'DELETE Secret', 'DELETE Lease'],
  ]);
  expect(result).toHaveLength(3);
  expect(server.lease).toBeUndefined();
});

test('the Lease of an interrupted rotation is taken over, and deleted after the objects, with its journal', async () => {
  const seen: Json[] = [];
  const { result, writes } = await unregistering({ lease: interrupted, afterDelete: ({ lease }) => seen.push(lease) });
  expect(writes.at(0)).toBe('PATCH Lease');
  expect(writes.slice(-2)).toEqual(['DELETE Secret', 'DELETE Lease']);
  for (const lease of seen) {
    expect(lease.spec.holderIdentity).toBe(identityOf(holder));
    expect(lease.metadata.annotations[journalAnnotation]).toBeDefined();
  }
  expect(result).toContainEqual({ object: `lease/wardle/${leaseName}`, change: 'deleted' });
});

test('a process that takes the Lease away keeps the next object from being removed', async () => {
  const { result, writes } = await unregistering({
    afterDelete: (server) => {
      server.lease = undefined;
    },
  });
  expect(result).toMatchObject({ exitCode: 1, message: 'Lease wardle/apisvc-rotation-api was deleted; this command stops' });
  expect(writes).not.toContain('DELETE Secret');
});

test('without the permission to create the Lease, a rotation is looked for before each write, and a note says so', async () => {
  const what = 'not allowed to create Lease wardle/apisvc-rotation-api; checking for a rotation before each write instead';
  const { result, writes, progress } = await unregistering({ mayCreateLeases: false });
  expect(result).toHaveLength(3);
  expect(writes).toEqual(['DELETE APIService', 'DELETE Service', 'DELETE Secret']);
  expect(progress).toContainEqual({ kind: 'note', what });
  const late = await unregistering({
    mayCreateLeases: false,
    afterDelete: (server) => {
      server.lease = interrupted;
    },
  });
  expect(late.result).toMatchObject({ exitCode: 1, message: expect.stringContaining('was last run by alice@laptop') });
  expect(late.writes).not.toContain('DELETE Secret');
  const before = await unregistering({ mayCreateLeases: false, lease: interrupted });
  expect(before.writes).toEqual(['DELETE Lease', 'DELETE APIService', 'DELETE Service', 'DELETE Secret']);
});
