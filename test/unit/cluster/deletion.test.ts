import { expect, test } from 'vitest';
import { deleteAnyObject, deleteObject } from '../../../src/cluster/deletion.ts';
import { RefusedError } from '../../../src/errors.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { managedBy, service, withMetadata } from '../operations/objects.ts';
import { answer, clusterOf, never, notFound, type Received, status } from './kube-api.ts';

const path = '/api/v1/namespaces/wardle/services/api';

/** A Service that apisvc created, as kube-apiserver returns it. */
const created = (metadata: object = {}): KubeObject =>
  withMetadata(service, {
    uid: 'one',
    resourceVersion: '7',
    labels: { 'app.kubernetes.io/managed-by': 'apisvc' },
    ...managedBy(['apisvc', 'Apply']),
    ...metadata,
  });

const options = { dryRun: false, signal: never };

/** A cluster that answers each DELETE with `code`, and has the object `present`. */
async function answering(code: number, body: object, present?: KubeObject) {
  const received: Received[] = [];
  const cluster = await clusterOf((request, response) => {
    if (request.method !== 'GET') {
      received.push(request);
      answer(response, code, body);
    } else if (present) answer(response, 200, present);
    else answer(response, 404, notFound(request.url));
  });
  return { cluster, received };
}

test.each([
  ['', false, {}],
  ['the dry run of ', true, { dryRun: ['All'] }],
])('%sdeleting our object names its uid and its version in the body', async (_, dryRun, more) => {
  const { cluster, received } = await answering(200, {});
  expect(await deleteObject(cluster, created(), { dryRun, signal: never })).toBe('deleted');
  expect(received).toHaveLength(1);
  // kube-apiserver ignores the query of a DELETE with a body.
  expect(received[0]).toMatchObject({ method: 'DELETE', url: path });
  expect(JSON.parse(received[0]?.body ?? '')).toEqual({
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid: 'one', resourceVersion: '7' },
    propagationPolicy: 'Background',
    ...more,
  });
});

test('an object that no longer exists is gone', async () => {
  const { cluster } = await answering(404, notFound(path));
  expect(await deleteObject(cluster, created(), options)).toBe('gone');
});

test.each([
  ['was changed', created({ resourceVersion: '8' })],
  ['was replaced', created({ uid: 'two' })],
  ['was deleted', undefined],
])('an object that %s since it was read is stale', async (_, present) => {
  const { cluster } = await answering(409, status(409, 'Conflict', 'Precondition failed'), present);
  expect(await deleteObject(cluster, created(), options)).toBe('stale');
});

test('a conflict about an object that did not change is an error', async () => {
  const { cluster } = await answering(409, status(409, 'Conflict', 'admission webhook "x" denied the request'), created());
  const refused = 'failed to delete service/wardle/api: admission webhook "x" denied the request';
  await expect(deleteObject(cluster, created(), options)).rejects.toThrow(refused);
});

test.each([
  ['another manager applied it', managedBy(['helm', 'Apply'])],
  ['apisvc only updated it', managedBy(['apisvc', 'Update'])],
  ['it has the label of another tool', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }],
])('deleteObject refuses when %s, and deleteAnyObject does not', async (_, metadata) => {
  const { cluster, received } = await answering(200, {});
  await expect(deleteObject(cluster, created(metadata), options)).rejects.toBeInstanceOf(RefusedError);
  expect(received).toEqual([]);
  expect(await deleteAnyObject(cluster, created(metadata), options)).toBe('deleted');
});

test('a refusal of kube-apiserver is an error', async () => {
  const { cluster } = await answering(403, status(403, 'Forbidden', 'services "api" is forbidden'));
  await expect(deleteObject(cluster, created(), options)).rejects.toThrow('not allowed to delete service/wardle/api');
});
