import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dns1123Subdomain } from '../../../../src/config/names.ts';
import type { Obj } from '../../../../src/sandbox/simulated/types.ts';
import { type Asked, configMap, type Running, startRunning } from './running.ts';

let running: Running;
beforeAll(async () => {
  running = await startRunning();
});
afterAll(() => running.stop());

const maps = '/api/v1/namespaces/default/configmaps';
const merge = { 'content-type': 'application/merge-patch+json' };
const apply = { 'content-type': 'application/apply-patch+yaml' };
const create = (object: Obj) => running.ask(`POST ${maps}`, { body: object });

describe('the life of an object', () => {
  test('created, read, replaced, patched, deleted', async () => {
    const created = await create(configMap('life', {}, { a: '1' }));
    expect(created).toMatchObject({
      status: 201,
      json: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'life', namespace: 'default' }, data: { a: '1' } },
    });
    expect(created.json.metadata.managedFields).toMatchObject([{ manager: 'test', operation: 'Update' }]);
    expect((await running.ask(`GET ${maps}/life`)).json).toEqual(created.json);
    const replaced = await running.ask(`PUT ${maps}/life`, { body: { ...created.json, data: { a: '2' } } });
    expect(replaced).toMatchObject({ status: 200, json: { metadata: { uid: created.json.metadata.uid }, data: { a: '2' } } });
    const patched = await running.ask(`PATCH ${maps}/life`, { body: { data: { a: null, b: '3' } }, headers: merge });
    expect(patched.json.data).toEqual({ b: '3' });
    const operations = [{ op: 'add', path: '/data/c', value: '4' }];
    const again = await running.ask(`PATCH ${maps}/life`, { body: operations, headers: { 'content-type': 'application/json-patch+json' } });
    expect(again.json.data).toEqual({ b: '3', c: '4' });
    const { uid } = created.json.metadata;
    expect((await running.ask(`DELETE ${maps}/life`)).json).toMatchObject({
      status: 'Success',
      details: { name: 'life', kind: 'configmaps', uid },
    });
    expect((await running.ask(`GET ${maps}/life`)).status).toBe(404);
  });

  test('a slow patch applies to the object as it is when the patch is complete', async () => {
    await create(configMap('shared'));
    const meanwhile = () => running.ask(`PATCH ${maps}/shared`, { body: { data: { quick: 'x' } }, headers: merge });
    const { status, json } = await running.ask(`PATCH ${maps}/shared`, { body: { data: { slow: 'x' } }, headers: merge, meanwhile });
    expect([status, json.data]).toEqual([200, { quick: 'x', slow: 'x' }]);
  });

  test('server-side apply creates and then changes', async () => {
    const applied = (value: string, query = '') =>
      running.ask(`PATCH ${maps}/applied?fieldManager=me${query}`, {
        body: JSON.stringify(configMap('applied', {}, { a: value })),
        headers: apply,
      });
    expect((await applied('1')).status).toBe(201);
    expect(await applied('2')).toMatchObject({ status: 200, json: { data: { a: '2' } } });
    expect(await applied('3', '&dryRun=All')).toMatchObject({ status: 200, json: { data: { a: '3' } } });
    expect((await running.ask(`GET ${maps}/applied`)).json.data).toEqual({ a: '2' });
  });

  test('a finalizer keeps an object until it is removed', async () => {
    await create(configMap('kept', { finalizers: ['example.com/hold'] }));
    expect((await running.ask(`DELETE ${maps}/kept`)).json.metadata.deletionTimestamp).toMatch(/Z$/);
    expect((await running.ask(`GET ${maps}/kept`)).status).toBe(200);
    await running.ask(`PATCH ${maps}/kept`, { body: { metadata: { finalizers: null } }, headers: merge });
    expect((await running.ask(`GET ${maps}/kept`)).status).toBe(404);
  });

  test('status is written by its subresource only', async () => {
    const nodes = '/api/v1/nodes';
    await running.ask(`POST ${nodes}`, { body: { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, status: { phase: 'Running' } } });
    await running.ask(`PATCH ${nodes}/n`, { body: { status: { phase: 'Running' } }, headers: merge });
    expect((await running.ask(`GET ${nodes}/n`)).json.status).toEqual({});
    await running.ask(`PATCH ${nodes}/n/status`, {
      body: { status: { phase: 'Running' }, spec: { podCIDR: '10.0.0.0/24' } },
      headers: merge,
    });
    expect((await running.ask(`GET ${nodes}/n`)).json).toMatchObject({ status: { phase: 'Running' } });
    expect((await running.ask(`GET ${nodes}/n`)).json).not.toHaveProperty('spec');
  });

  test('a deleted namespace deletes its objects', async () => {
    await running.ask('POST /api/v1/namespaces', { body: { metadata: { name: 'doomed' } } });
    const names = (await running.ask('GET /api/v1/namespaces/doomed/serviceaccounts')).json.items.map(({ metadata }: Obj) => metadata.name);
    expect(names).toEqual(['default']);
    await running.ask('POST /api/v1/namespaces/doomed/configmaps', { body: configMap('held', { finalizers: ['example.com/hold'] }) });
    expect((await running.ask('DELETE /api/v1/namespaces/doomed')).json.status.phase).toBe('Terminating');
    const late = await running.ask('POST /api/v1/namespaces/doomed/configmaps', { body: configMap('late') });
    expect(late.json).toMatchObject({ code: 403, details: { causes: [{ reason: 'NamespaceTerminating' }] } });
    await running.ask('PATCH /api/v1/namespaces/doomed/configmaps/held', { body: { metadata: { finalizers: null } }, headers: merge });
    await expect.poll(async () => (await running.ask('GET /api/v1/namespaces/doomed')).status).toBe(404);
  });

  test('dependents are deleted with their owner', async () => {
    const { uid } = (await create(configMap('owner'))).json.metadata;
    await create(configMap('owned', { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }] }));
    expect((await running.ask(`DELETE ${maps}/owner?propagationPolicy=Foreground`)).status).toBe(501);
    expect((await running.ask(`DELETE ${maps}/owner?propagationPolicy=Background`)).status).toBe(200);
    await expect.poll(async () => (await running.ask(`GET ${maps}/owned`)).status).toBe(404);
  });

  test('a Service gets an address and keeps it', async () => {
    const services = '/api/v1/namespaces/default/services';
    const body = { metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [{ port: 443 }] } };
    const { spec } = (await running.ask(`POST ${services}`, { body })).json;
    expect(spec).toMatchObject({
      type: 'ClusterIP',
      clusterIP: expect.stringMatching(/^10\.96\./),
      ports: [{ port: 443, targetPort: 443, protocol: 'TCP' }],
    });
    expect((await running.ask(`PUT ${services}/web`, { body })).json.spec.clusterIP).toBe(spec.clusterIP);
  });
});

describe('lists', () => {
  test('contain the selected objects, without kind and apiVersion of the items', async () => {
    await create(configMap('red', { labels: { colour: 'red' } }));
    await create(configMap('blue', { labels: { colour: 'blue' } }));
    const { json } = await running.ask(`GET ${maps}?labelSelector=colour%3Dred`);
    expect(json).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1', items: [{ metadata: { name: 'red' } }] });
    expect(json.items[0]).not.toHaveProperty('kind');
    expect(Number(json.metadata.resourceVersion)).toBeGreaterThan(0);
    expect((await running.ask(`DELETE ${maps}?labelSelector=colour`)).status).toBe(501);
    expect((await running.ask(`GET ${maps}?labelSelector=colour`)).json.items).toHaveLength(2);
  });

  test('are tables or metadata on request', async () => {
    const as = (form: string): Asked => ({ headers: { accept: `application/json;as=${form};v=v1;g=meta.k8s.io,application/json` } });
    const table = (await running.ask('GET /api/v1/namespaces', as('Table'))).json;
    expect(table.columnDefinitions.map(({ name }: Obj) => name)).toEqual(['Name', 'Age']);
    expect(table.rows[0]).toMatchObject({
      cells: ['default', expect.stringMatching(/^\d+s$/)],
      object: { kind: 'PartialObjectMetadata' },
    });
    const { json } = await running.ask('GET /api/v1/namespaces', as('PartialObjectMetadataList'));
    expect(json.items[0]).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'default' } });
  });
});

describe('refusals', () => {
  const named = (name: string) => ({ body: configMap(name) });
  const invalidName = `ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": ${dns1123Subdomain.message}`;
  test.each<[string, Asked, number, string, string]>([
    [`GET ${maps}/none`, {}, 404, 'NotFound', 'configmaps "none" not found'],
    ['GET /api/v1/foos', {}, 404, 'NotFound', 'the server could not find the requested resource'],
    ['GET /apis/apps/v9', {}, 404, 'NotFound', 'the server could not find the requested resource'],
    ['GET /api/v1/namespaces/default/nodes', {}, 404, 'NotFound', 'the server could not find the requested resource'],
    ['POST /api/v1/configmaps', named('a'), 405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource'],
    [`OPTIONS ${maps}`, {}, 405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource'],
    ['POST /api/v1/namespaces/none/configmaps', named('a'), 404, 'NotFound', 'namespaces "none" not found'],
    [`POST ${maps}`, named('A_b'), 422, 'Invalid', invalidName],
    [`POST ${maps}`, named(''), 422, 'Invalid', 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'],
    [`POST ${maps}`, named('kube-root-ca.crt'), 409, 'AlreadyExists', 'configmaps "kube-root-ca.crt" already exists'],
    [`PUT ${maps}/b`, named('a'), 400, 'BadRequest', 'the name of the object (a) does not match the name on the URL (b)'],
    [
      `POST ${maps}`,
      { body: configMap('a', { namespace: 'other' }) },
      400,
      'BadRequest',
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [`POST ${maps}`, { body: configMap('a', { name: 5 }) }, 400, 'BadRequest', 'metadata.name is not a string'],
    [
      `POST ${maps}`,
      { body: { ...configMap('a'), kind: 'Secret' } },
      400,
      'BadRequest',
      'Secret in version "v1" cannot be handled as a ConfigMap',
    ],
    [`POST ${maps}`, { body: '[]' }, 400, 'BadRequest', 'the object provided is unrecognized: it is not an object'],
    [`POST ${maps}?dryRun=Some`, named('a'), 400, 'BadRequest', 'dryRun: supported values: "All"'],
    [
      `POST ${maps}`,
      { body: 'a', headers: { 'content-type': 'text/plain' } },
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    ],
    [
      `POST ${maps}`,
      { body: JSON.stringify(configMap('a', {}, { a: 'x'.repeat(3_200_000) })) },
      413,
      'RequestEntityTooLarge',
      'Request entity too large: limit is 3145728',
    ],
    [`PATCH ${maps}/none`, { body: {}, headers: merge }, 404, 'NotFound', 'configmaps "none" not found'],
    [
      `PATCH ${maps}/kube-root-ca.crt`,
      { body: {}, headers: { 'content-type': 'application/foo' } },
      415,
      'UnsupportedMediaType',
      '415: Unsupported Media Type',
    ],
    ['DELETE /api/v1/namespaces/default', {}, 403, 'Forbidden', 'namespaces "default" is forbidden: this namespace may not be deleted'],
    [
      'POST /api/v1/namespaces/default/services',
      { body: { metadata: { name: 's' }, spec: { ports: [{ port: 443 }, { port: 80 }] } } },
      422,
      'Invalid',
      'Service "s" is invalid: [spec.ports[0].name: Required value, spec.ports[1].name: Required value]',
    ],
  ])('%s', async (question, asked, status, reason, message) => {
    const { json, ...answer } = await running.ask(question, asked);
    expect(json).toMatchObject({ kind: 'Status', status: 'Failure', reason, message, code: status });
    expect(answer.status).toBe(status);
  });

  test('an immutable field', async () => {
    const bindings = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
    const body = (name: string) => ({ metadata: { name: 'b' }, roleRef: { kind: 'ClusterRole', name } });
    expect((await running.ask(`POST ${bindings}`, { body: body('view') })).status).toBe(201);
    const { json } = await running.ask(`PUT ${bindings}/b`, { body: body('edit') });
    expect(json).toMatchObject({
      code: 422,
      message: expect.stringMatching(/^ClusterRoleBinding.* "b" is invalid: roleRef: Invalid value: .*: field is immutable$/),
    });
  });

  test.each([
    ['an unknown role', { roleRef: { kind: 'Robot', name: 'r' } }],
    ['a Role, which is in a namespace', { roleRef: { kind: 'Role', name: 'r' } }],
  ])('a ClusterRoleBinding to %s', async (_, content) => {
    const body = { metadata: { name: 'wrong' }, ...content };
    const { json } = await running.ask('POST /apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { body });
    expect(json).toMatchObject({ code: 422, message: expect.stringContaining('roleRef.kind: Invalid value') });
  });

  test('a Secret whose data is not base64', async () => {
    const body = { metadata: { name: 'plain' }, data: { password: 'not base64!' } };
    const { json } = await running.ask('POST /api/v1/namespaces/default/secrets', { body });
    expect(json).toMatchObject({ code: 400, message: expect.stringContaining('illegal base64 data') });
  });

  test('a precondition that does not hold refuses a delete', async () => {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'x' } };
    const { json } = await running.ask(`DELETE ${maps}/kube-root-ca.crt`, { body });
    expect(json.message).toMatch(
      /^Operation cannot be fulfilled on configmaps "kube-root-ca.crt": the uid in the precondition \(x\) is not that of the object/,
    );
    expect(json.code).toBe(409);
  });

  test('what is not simulated is refused with an alternative', async () => {
    const strategic = { body: {}, headers: { 'content-type': 'application/strategic-merge-patch+json' } };
    expect((await running.ask(`PATCH ${maps}/kube-root-ca.crt`, strategic)).json).toMatchObject({
      code: 501,
      message: expect.stringMatching(/--type=merge.*real engine/),
    });
    const crd = { body: { metadata: { name: 'a.b' } } };
    expect((await running.ask('POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd)).status).toBe(501);
    expect((await running.ask('GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions')).status).toBe(200);
  });

  test('a field of another type', async () => {
    const body = { metadata: { name: 's' }, spec: { ports: 'https' } };
    const { json } = await running.ask('POST /api/v1/namespaces/default/services', { body });
    expect(json).toMatchObject({
      code: 400,
      message: expect.stringMatching(/^the object cannot be handled: a field is of another type/),
    });
  });
});
