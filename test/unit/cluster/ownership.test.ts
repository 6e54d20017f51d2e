import { describe, expect, test } from 'vitest';
import { isApplied } from '../../../src/cluster/field-owners.ts';
import { applyObject, ownedFields, releaseObject, setFields } from '../../../src/cluster/ownership.ts';
import { restoreObject } from '../../../src/cluster/restore.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { answer, clusterOf, never, notFound, type Received, status } from './kube-api.ts';

interface Owner {
  readonly manager?: string;
  readonly operation?: 'Apply' | 'Update';
  readonly label?: string;
}

/** A Service as kube-apiserver returns it. */
const serviceOf = ({ manager = 'apisvc', operation = 'Apply', label = 'apisvc' }: Owner = {}): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'api',
      namespace: 'wardle',
      uid: 'one',
      labels: { 'app.kubernetes.io/managed-by': label },
      managedFields: [
        { manager: 'kubectl', operation: 'Update', fieldsV1: { 'f:spec': { 'f:type': {} } } },
        { manager, operation, fieldsV1: { 'f:spec': { 'f:ports': {} } } },
      ],
    },
  }) as KubeObject;

const strangers: readonly [string, Owner][] = [
  ['another manager applied it', { manager: 'helm' }],
  ['apisvc only updated it', { operation: 'Update' }],
];

/** A cluster that answers every request the same, and the requests that it received. */
async function answering(code: number, body: object) {
  const received: Received[] = [];
  const cluster = await clusterOf((request, response) => {
    received.push(request);
    answer(response, code, body);
  });
  return { cluster, received };
}

describe('ownership', () => {
  test('is read from managedFields', () => {
    expect(isApplied(serviceOf())).toBe(true);
    expect(JSON.parse(ownedFields(serviceOf()))).toEqual({ 'f:spec': { 'f:ports': {} } });
  });

  test.each(strangers)('is not ours when %s', (_, owner) => {
    expect(isApplied(serviceOf(owner))).toBe(false);
    expect(ownedFields(serviceOf(owner))).toBe('{}');
  });

  test('of an object without managedFields is not ours', () => {
    expect(isApplied({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'api' } })).toBe(false);
  });
});

describe('releaseObject', () => {
  test('applies the object without fields, for the same uid only', async () => {
    const { cluster, received } = await answering(200, serviceOf());
    await releaseObject(cluster, serviceOf(), never);
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({ method: 'PATCH', url: expect.stringContaining('fieldManager=apisvc&force=false') });
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'api', namespace: 'wardle', uid: 'one' },
    });
  });

  test.each(strangers)('sends nothing when %s', async (_, owner) => {
    const { cluster, received } = await answering(200, {});
    await releaseObject(cluster, serviceOf(owner), never);
    expect(received).toEqual([]);
  });

  test('fails when the object was replaced meanwhile', async () => {
    const { cluster } = await answering(409, status(409, 'Conflict', 'uid mismatch'));
    await expect(releaseObject(cluster, serviceOf(), never)).rejects.toThrow('failed to patch service/wardle/api: uid mismatch');
  });
});

describe('setFields', () => {
  const stored = (owner?: Owner): KubeObject => {
    const { metadata, ...service } = serviceOf(owner);
    return {
      ...service,
      metadata: { ...metadata, resourceVersion: '7' },
      spec: { ports: [{ port: 443 }], type: 'ClusterIP' },
    } as KubeObject;
  };
  const change = { metadata: { annotations: { a: 'b' } }, spec: { clusterIP: 'None' } };
  const options = { force: false, dryRun: false, signal: never };
  const conflict = (manager: string, field: string): object =>
    status(409, 'Conflict', 'conflict', {
      causes: [{ reason: 'FieldManagerConflict', message: `conflict with "${manager}" using v1`, field }],
    });

  test('applies what apisvc owns, with its live values and the change, to that version only', async () => {
    const { cluster, received } = await answering(200, serviceOf());
    expect(await setFields(cluster, stored(), change, options)).toEqual({ kind: 'applied', object: serviceOf(), restored: [] });
    expect(received).toHaveLength(1);
    expect(received[0]?.headers['content-type']).toBe('application/apply-patch+yaml');
    expect(received[0]?.url).toContain('fieldManager=apisvc&force=false&fieldValidation=Strict');
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'api', namespace: 'wardle', uid: 'one', resourceVersion: '7', annotations: { a: 'b' } },
      spec: { ports: [{ port: 443 }], clusterIP: 'None' },
    });
  });

  test.each(strangers)('sends a merge patch of the change when %s', async (_, owner) => {
    const { cluster, received } = await answering(200, serviceOf());
    await setFields(cluster, stored(owner), change, options);
    expect(received[0]?.headers['content-type']).toBe('application/merge-patch+json');
    expect(received[0]?.url).toContain('fieldManager=apisvc');
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'api', namespace: 'wardle', resourceVersion: '7', annotations: { a: 'b' } },
      spec: { clusterIP: 'None' },
    });
  });

  test.each([
    ['was changed', 409, status(409, 'Conflict', 'the object has been modified')],
    ['was deleted', 404, notFound('/api/v1/namespaces/wardle/services/api')],
  ])('finds that the object %s meanwhile', async (_, code, body) => {
    const { cluster, received } = await answering(code, body);
    expect(await setFields(cluster, stored(), change, options)).toEqual({ kind: 'stale' });
    expect(received).toHaveLength(1);
  });

  test('names the other managers of the fields', async () => {
    const { cluster, received } = await answering(409, conflict('gitops', '.spec.clusterIP'));
    expect(await setFields(cluster, stored(), change, options)).toEqual({
      kind: 'conflict',
      conflicts: [{ field: '.spec.clusterIP', owner: 'conflict with "gitops" using v1' }],
    });
    expect(received).toHaveLength(1);
  });

  test('restores a caBundle that was edited by hand, and says so', async () => {
    const received: Received[] = [];
    const cluster = await clusterOf((request, response) => {
      received.push(request);
      if (request.url.includes('force=true')) answer(response, 200, serviceOf());
      else answer(response, 409, conflict('kubectl-edit', '.spec.caBundle'));
    });
    const restored = [{ field: '.spec.caBundle', owner: 'conflict with "kubectl-edit" using v1' }];
    expect(await setFields(cluster, stored(), change, options)).toEqual({ kind: 'applied', object: serviceOf(), restored });
    expect(received).toHaveLength(2);
  });

  test('overwrites what apisvc patched before it applied the object', async () => {
    const cluster = await clusterOf(({ method, url }, response) => {
      if (method === 'GET') answer(response, 200, stored());
      else if (url.includes('force=true')) answer(response, 200, serviceOf());
      else answer(response, 409, conflict('apisvc', '.spec.clusterIP'));
    });
    expect(await setFields(cluster, stored(), change, options)).toEqual({ kind: 'applied', object: serviceOf(), restored: [] });
    expect(await applyObject(cluster, stored(), options)).toEqual({ kind: 'applied', object: serviceOf(), restored: [] });
  });

  test('does not overwrite what another manager writes between the two requests', async () => {
    let version = 7;
    let manager = 'apisvc';
    const forced: Received[] = [];
    const cluster = await clusterOf((request, response) => {
      const { metadata } = request.body === '' ? { metadata: {} } : JSON.parse(request.body);
      if (request.method === 'GET') {
        const found = stored();
        answer(response, 200, { ...found, metadata: { ...found.metadata, resourceVersion: String(version) } });
        return;
      }
      if (request.url.includes('force=true')) {
        forced.push(request);
        // Another manager was faster.
        version += 1;
        manager = 'gitops';
      }
      const isStale = metadata.resourceVersion !== undefined && metadata.resourceVersion !== String(version);
      if (isStale) answer(response, 409, status(409, 'Conflict', 'the object has been modified'));
      else if (request.url.includes('force=true')) answer(response, 200, serviceOf());
      else answer(response, 409, conflict(manager, '.spec.clusterIP'));
    });
    const wanted = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'api', namespace: 'wardle' }, spec: {} } as KubeObject;
    expect(await applyObject(cluster, wanted, options)).toEqual({
      kind: 'conflict',
      conflicts: [{ field: '.spec.clusterIP', owner: 'conflict with "gitops" using v1' }],
    });
    expect(forced).toHaveLength(1);
    expect(JSON.parse(forced[0]?.body ?? '').metadata.resourceVersion).toBe('7');
  });

  test('names only the others where apisvc has an entry too', async () => {
    const causes = ['apisvc', 'gitops'].map((manager) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with "${manager}" using v1`,
      field: '.spec.clusterIP',
    }));
    const { cluster, received } = await answering(409, status(409, 'Conflict', 'conflict', { causes }));
    const refused = { kind: 'conflict', conflicts: [{ field: '.spec.clusterIP', owner: 'conflict with "gitops" using v1' }] };
    expect(await setFields(cluster, stored(), change, options)).toEqual(refused);
    expect(await applyObject(cluster, stored(), options)).toEqual(refused);
    expect(received).toHaveLength(2);
  });

  test('fails when kube-apiserver refuses', async () => {
    const { cluster } = await answering(403, status(403, 'Forbidden', 'services "api" is forbidden'));
    await expect(setFields(cluster, stored(), change, options)).rejects.toThrow('not allowed to patch service/wardle/api');
  });
});

describe('restoreObject', () => {
  const ours = { manager: 'apisvc', operation: 'Update', fieldsV1: { 'f:spec': { 'f:type': {} } } };
  const others = { manager: 'kubectl', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:type': {} } } };
  const managedBy = (managedFields: readonly object[]) => ({ ...serviceOf(), metadata: { ...serviceOf().metadata, managedFields } });

  test('gives up its update also when a controller updates the object meanwhile', async () => {
    const received: Received[] = [];
    const cluster = await clusterOf((request, response) => {
      received.push(request);
      if (request.method === 'GET') answer(response, 200, managedBy([others, ours]));
      else if (request.headers['content-type'] === 'application/merge-patch+json') answer(response, 200, managedBy([ours, others]));
      else if (request.body.includes('managedFields/0')) answer(response, 422, status(422, 'Invalid', 'the test failed'));
      else answer(response, 200, managedBy([others]));
    });
    const result = await restoreObject(cluster, serviceOf(), { dryRun: false, signal: never });
    expect(result).toMatchObject({ kind: 'applied', object: { metadata: { managedFields: [others] } } });
    expect(received.map(({ method }) => method)).toEqual(['PATCH', 'PATCH', 'GET', 'PATCH']);
  });
});
