import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/cluster/cluster.ts';
import { getObject, listObjects, observe, refOf } from '../../../src/cluster/objects.ts';
import { applyObject, describeConflicts } from '../../../src/cluster/ownership.ts';
import { resourcePath, resources } from '../../../src/cluster/resources.ts';
import { rbacRule, readStatus, refusal } from '../../../src/cluster/status.ts';
import { ClusterError, DeadlineError, Exit, RefusedError, UsageError } from '../../../src/errors.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { answer, clusterOf, never, notFound, type Received, status } from './kube-api.ts';

const service: KubeObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'api', namespace: 'wardle' }, spec: { a: 1 } };
const ref = refOf(service);
const options = { force: false, dryRun: false, signal: never };

const failure = async (promise: Promise<unknown>): Promise<Error & { fix?: string; exitCode?: number }> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('it was fulfilled');
  return error;
};

describe('paths', () => {
  test.each([
    ['/api/v1/namespaces/a/services/b', resourcePath(resources.Service, 'a', 'b')],
    ['/apis/apps/v1/namespaces/a/deployments', resourcePath(resources.Deployment, 'a')],
    ['/apis/apiregistration.k8s.io/v1/apiservices/v1.a', resourcePath(resources.APIService, 'ignored', 'v1.a')],
    ['/api/v1/namespaces/a%2F..%2Fb/secrets/c', resourcePath(resources.Secret, 'a/../b', 'c')],
  ])('%s', (expected, path) => {
    expect(path).toBe(expected);
  });
});

describe('getting', () => {
  test('an object, or nothing', async () => {
    const cluster = await clusterOf(({ url }, response) =>
      url.endsWith('/api') ? answer(response, 200, service) : answer(response, 404, notFound(url)),
    );
    expect(await getObject(cluster, ref, never)).toEqual(service);
    expect(await getObject(cluster, { ...ref, name: 'other' }, never)).toBeUndefined();
  });

  test('items of a list get back what a list leaves out', async () => {
    const cluster = await clusterOf(({ url }, response) => {
      expect(url).toBe('/api/v1/namespaces/wardle/services?labelSelector=a%3Db');
      answer(response, 200, { metadata: { resourceVersion: '7' }, items: [{ metadata: { name: 'api' } }] });
    });
    expect(await listObjects(cluster, { resource: resources.Service, namespace: 'wardle', labelSelector: 'a=b' }, never)).toEqual([
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'api' } },
    ]);
  });
});

describe('refusals', () => {
  // A server that does not know the resource says nothing of the object.
  test.each([
    [
      'a Status',
      status(404, 'NotFound', 'the server could not find the requested resource'),
      'the server could not find the requested resource',
    ],
    ['a list of paths', { paths: ['/apis'] }, 'HTTP status 404'],
    ['text', '404 page not found', '404 page not found'],
  ])('404 with %s', async (_, body, words) => {
    expect(await refused(404, body)).toMatchObject({ exitCode: Exit.unreachable, message: expect.stringContaining(words) });
  });

  // kube-apiserver answers with this text where no CustomResourceDefinition has the group.
  test.each([
    ['text', '404 page not found\n'],
    ['a Status', status(404, 'NotFound', 'the server could not find the requested resource')],
  ])('404 with %s for a kind of cert-manager says that it is not installed', async (_, body) => {
    const error = await refused(404, body, { ...ref, resource: resources.Certificate });
    expect(error).toMatchObject({
      exitCode: Exit.unreachable,
      message: 'failed to get certificate/wardle/api: the cluster does not serve cert-manager.io/v1',
      fix: 'Install cert-manager, or choose another issuer in apisvc.yaml.',
    });
  });

  const refused = async (code: number, body: unknown, wanted = ref): Promise<ReturnType<typeof failure>> =>
    failure(getObject(await clusterOf((_, response) => answer(response, code, body)), wanted, never));

  test('forbidden names the verb, the resource and the rule', async () => {
    const error = await refused(403, status(403, 'Forbidden', 'services "api" is forbidden: User "jane" cannot get resource "services"'));
    expect(error).toMatchObject({
      exitCode: Exit.unreachable,
      message: 'not allowed to get service/wardle/api: services "api" is forbidden: User "jane" cannot get resource "services"',
      fix: 'Grant this RBAC rule: Role in namespace wardle: {apiGroups: [""], resources: [services], resourceNames: ["api"], verbs: [get]}',
    });
  });

  test('credentials that are not accepted', async () => {
    const error = await refused(401, status(401, 'Unauthorized', 'Unauthorized'));
    expect(error).toBeInstanceOf(ClusterError);
    expect(error.message).toMatch(/^the cluster at http:\S+ rejects the credentials of user "test" \(context "test"\): Unauthorized$/);
  });

  test.each([
    [422, UsageError, 'the cluster rejects service/wardle/api: bad'],
    [409, RefusedError, 'failed to get service/wardle/api: bad'],
    [500, ClusterError, 'failed to get service/wardle/api: HTTP status 500: bad'],
    [418, ClusterError, 'failed to get service/wardle/api: HTTP status 418: bad'],
  ])('status %i', async (code, kind, message) => {
    const error = await refused(code, status(code, '', 'bad'));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toBe(message);
  });

  test('something that is no kube-apiserver', async () => {
    const error = await refused(200, '<html>welcome</html>');
    expect(error).toBeInstanceOf(ClusterError);
    expect(error.message).toContain('is not kube-apiserver: HTTP status 200, but the response is not JSON');
  });

  test.each(['null', '[]', '{}', '{"metadata":null}'])('JSON that is no object of Kubernetes: %s', async (body) => {
    const error = await refused(200, body);
    expect(error).toBeInstanceOf(ClusterError);
    expect(error.message).toContain('is not kube-apiserver: HTTP status 200, but the response is not the requested object');
  });

  test('a body that is no Status is quoted, shortened to one line', () => {
    expect(readStatus({ status: 502, body: 'Bad Gateway\nmore' }).message).toBe('Bad Gateway');
    expect(readStatus({ status: 502, body: 'x'.repeat(1000) }).message).toHaveLength(300);
    expect(readStatus({ status: 502, body: '' }).message).toBe('HTTP status 502');
  });

  test.each(Object.values(resources))('without a namespace, none is missing in the words: $plural', async (resource) => {
    const cluster = await clusterOf((_, response) => answer(response, 200, {}));
    const forbidden = { status: 403, body: JSON.stringify(status(403, 'Forbidden', 'no')) };
    for (const verb of ['get', 'list', 'watch', 'patch', 'create', 'delete'] as const) {
      for (const namespace of [undefined, 'wardle']) {
        const ref = { resource, namespace: resource.namespaced ? namespace : undefined, name: '*' };
        const { message, fix } = refusal(cluster, { verb, ref }, forbidden, new Date());
        expect(message + fix + rbacRule(ref, verb)).not.toMatch(/undefined|namespace(:|$)/);
        expect(rbacRule(ref, verb)).toMatch(ref.namespace === undefined ? /^ClusterRole: / : /^Role in namespace wardle: /);
      }
    }
  });

  test('create cannot be limited to a name', () => {
    expect(rbacRule(refOf({ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1.a' } }), 'create')).toBe(
      'ClusterRole: {apiGroups: ["apiregistration.k8s.io"], resources: [apiservices], verbs: [create]}',
    );
  });
});

describe('applying', () => {
  test('is server-side, strict and in our name', async () => {
    const received: Received[] = [];
    const cluster = await clusterOf((request, response) => {
      received.push(request);
      answer(response, 201, service);
    });
    expect(await applyObject(cluster, service, { ...options, force: true, dryRun: true })).toEqual({
      kind: 'applied',
      object: service,
      restored: [],
    });
    const [request] = received;
    expect(request).toMatchObject({ method: 'PATCH', headers: { 'content-type': 'application/apply-patch+yaml' } });
    expect(request?.url).toBe('/api/v1/namespaces/wardle/services/api?fieldManager=apisvc&force=true&fieldValidation=Strict&dryRun=All');
    expect(JSON.parse(request?.body ?? '')).toEqual(service);
  });

  test('a conflict is reported field by field', async () => {
    const causes = [
      { reason: 'FieldManagerConflict', message: 'conflict with "kubectl-patch" using v1', field: '.spec.a' },
      { reason: 'FieldManagerConflict', message: 'conflict with "helm"', field: '.spec.b' },
    ];
    const cluster = await clusterOf((_, response) => answer(response, 409, status(409, 'Conflict', 'Apply failed', { causes })));
    const result = await applyObject(cluster, service, options);
    if (result.kind !== 'conflict') throw new Error(result.kind);
    expect(describeConflicts(service, result.conflicts)).toBe(
      'service/wardle/api .spec.a: conflict with "kubectl-patch" using v1\nservice/wardle/api .spec.b: conflict with "helm"',
    );
  });

  test('another conflict is not one of fields', async () => {
    const cluster = await clusterOf((_, response) => answer(response, 409, status(409, 'Conflict', 'being deleted')));
    expect(await failure(applyObject(cluster, service, options))).toMatchObject({
      exitCode: Exit.findings,
      message: 'failed to patch service/wardle/api: being deleted',
    });
  });

  test('a missing namespace is an error, except in a dry run', async () => {
    const cluster = await clusterOf((_, response) => answer(response, 404, status(404, 'NotFound', 'namespaces "wardle" not found')));
    expect(await applyObject(cluster, service, { ...options, dryRun: true })).toEqual({ kind: 'unchecked' });
    expect(await failure(applyObject(cluster, service, options))).toBeInstanceOf(ClusterError);
  });

  test('a kind that apisvc does not make is a defect', () => {
    expect(() => refOf({ ...service, kind: 'Widget' })).toThrow('unknown kind v1 Widget');
  });
});

describe('observing', () => {
  const of = { resource: resources.Service, namespace: 'wardle' };
  const item = (a: number): KubeObject => ({ ...service, spec: { a } });
  const values = (objects: readonly KubeObject[]): unknown[] => objects.map(({ spec }) => (spec as { a: number }).a);
  const event = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;

  /** Lists give 1, 2, 3, ...; the handler gets the number of each watch. */
  async function watched(onWatch: (count: number, response: ServerResponse, url: string) => void): Promise<Cluster> {
    let lists = 0;
    let watches = 0;
    return clusterOf(({ url }, response) => {
      if (url.includes('watch=true')) onWatch(++watches, response, url);
      else answer(response, 200, { metadata: { resourceVersion: `${++lists}0` }, items: [item(lists)] });
    });
  }

  async function take(cluster: Cluster, count: number): Promise<unknown[]> {
    const found: unknown[] = [];
    for await (const objects of observe(cluster, of, never)) {
      found.push(values(objects));
      if (found.length === count) break;
    }
    return found;
  }

  test('yields the list, then every change', async () => {
    const urls: string[] = [];
    const cluster = await watched((_, response, url) => {
      urls.push(url);
      response.write(event('MODIFIED', item(5)) + event('ADDED', { ...item(6), metadata: { name: 'b', namespace: 'wardle' } }));
      response.write(event('DELETED', item(5)));
    });
    expect(await take(cluster, 4)).toEqual([[1], [5], [5, 6], [6]]);
    expect(urls).toEqual(['/api/v1/namespaces/wardle/services?watch=true&resourceVersion=10']);
  });

  test('lists again when the resourceVersion is too old, for both forms of that error', async () => {
    const cluster = await watched((count, response) => {
      if (count === 1) answer(response, 410, status(410, 'Expired', 'too old'));
      else if (count === 2) response.end(event('ERROR', status(410, 'Expired', 'too old')));
      else response.write(event('MODIFIED', item(9)));
    });
    expect(await take(cluster, 4)).toEqual([[1], [2], [3], [9]]);
  });

  test('lists again when the watch breaks or ends', async () => {
    const cluster = await watched((count, response) => {
      response.write(event('MODIFIED', item(count * 100)));
      setTimeout(() => (count === 1 ? response.destroy() : response.end()), 10);
    });
    expect(await take(cluster, 5)).toEqual([[1], [100], [2], [200], [3]]);
  });

  test('lists again when a line is no event', async () => {
    const cluster = await watched((count, response) => {
      if (count === 1) response.write(`${event('MODIFIED', item(7))}<html>bad gateway</html>\n`);
      else response.write(event('MODIFIED', item(9)));
    });
    expect(await take(cluster, 4)).toEqual([[1], [7], [2], [9]]);
  });

  test('that is forbidden fails at once', async () => {
    const cluster = await watched((_, response) => answer(response, 403, status(403, 'Forbidden', 'no')));
    const error = await failure(take(cluster, 2));
    expect(error.message).toBe('not allowed to watch services in namespace "wardle": no');
    expect(error.fix).toContain('verbs: [watch]');
  });

  test('ends with the reason of the signal, also between two attempts', async () => {
    const cluster = await watched((_, response) => response.destroy());
    const stop = new AbortController();
    const reason = new DeadlineError('timed out');
    setTimeout(() => stop.abort(reason), 60);
    const endless = async (): Promise<void> => {
      for await (const objects of observe(cluster, of, stop.signal)) expect(objects).toHaveLength(1);
    };
    expect(await failure(endless())).toBe(reason);
  });
});
