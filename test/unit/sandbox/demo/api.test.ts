import { hostname, totalmem } from 'node:os';
import { describe, expect, test } from 'vitest';
import { objectName } from '../../../../src/sandbox/demo/measure.ts';
import { parseResourceList } from '../../../../src/snapshot/api-resources.ts';
import { as, startServing } from './running.ts';

const root = '/apis/demo.apisvc.dev/v1alpha1';
const name = objectName(hostname());
const admin = as('admin', ['system:masters']);

describe('the host', () => {
  test('is measured for each request', async () => {
    const { json } = await startServing();
    const before = Date.now();
    const host = await json(`${root}/hosts/${name}`, admin);
    expect(host).toMatchObject({ apiVersion: 'demo.apisvc.dev/v1alpha1', kind: 'Host', metadata: { name } });
    expect(Date.parse(host.timestamp)).toBeGreaterThan(before - 2_000);
    const bytes = (quantity: string) =>
      Number.parseInt(quantity, 10) * 1024 ** ['', 'Ki', 'Mi', 'Gi', 'Ti'].indexOf(quantity.replace(/^\d+/, ''));
    expect(bytes(host.capacity.memory)).toBe(totalmem());
    expect(bytes(host.usage.memory) + bytes(host.free.memory)).toBe(totalmem());
    expect(Object.values(host.load)).toEqual([1, 2, 3].map(() => expect.stringMatching(/^\d+\.\d\d$/)));
    expect(host.uptime).toMatch(/^\d+s$/);
  });

  test('is the only item of the list', async () => {
    const { json } = await startServing();
    expect(await json(`${root}/hosts`, admin)).toMatchObject({ kind: 'HostList', items: [{ kind: 'Host', metadata: { name } }] });
  });
});

describe('discovery', () => {
  test('lists the resource', async () => {
    const { get } = await startServing();
    const { text } = await get(root, admin);
    expect(parseResourceList(text)).toEqual({ groupVersion: 'demo.apisvc.dev/v1alpha1', resources: ['hosts'], listed: ['hosts'] });
    const [resource] = JSON.parse(text).resources;
    expect(resource).toEqual({
      name: 'hosts',
      singularName: 'host',
      kind: 'Host',
      namespaced: false,
      verbs: ['get', 'list'],
    });
  });

  test('has the group', async () => {
    const { json } = await startServing();
    expect(await json('/apis/demo.apisvc.dev', admin)).toMatchObject({ kind: 'APIGroup', preferredVersion: { version: 'v1alpha1' } });
    expect(await json('/apis', admin)).toMatchObject({ kind: 'APIGroupList', groups: [{ name: 'demo.apisvc.dev' }] });
  });
});

test('OpenAPI lists a document of the group and version, without schemas', async () => {
  const { json } = await startServing();
  const path = '/openapi/v3/apis/demo.apisvc.dev/v1alpha1';
  expect(await json('/openapi/v3', admin)).toEqual({ paths: { 'apis/demo.apisvc.dev/v1alpha1': { serverRelativeURL: path } } });
  expect(await json(path, admin)).toMatchObject({ openapi: '3.0.0', paths: {} });
});

describe('a request that is not found or not allowed', () => {
  test.each([
    [`${root}/hosts/other`, 'GET', 404, 'hosts.demo.apisvc.dev "other" not found'],
    [`${root}/hosts/${name}/status`, 'GET', 404, 'the server could not find the requested resource'],
    [`${root}/namespaces/a/hosts`, 'GET', 404, 'the server could not find the requested resource'],
    [`${root}/others`, 'GET', 404, 'the server could not find the requested resource'],
    ['/apis/demo.apisvc.dev/v2', 'GET', 404, 'the server could not find the requested resource'],
    ['/metrics', 'GET', 404, 'the server could not find the requested resource'],
    ['//', 'GET', 404, 'the server could not find the requested resource'],
    [`${root}/hosts`, 'POST', 405, 'the server does not allow this method on the requested resource'],
    [`${root}/hosts/${name}`, 'DELETE', 405, 'the server does not allow this method on the requested resource'],
    [`${root}/hosts?watch=true`, 'GET', 405, 'the server does not allow this method on the requested resource'],
    [root, 'PUT', 405, 'the server does not allow this method on the requested resource'],
    [`${root}/hosts?labelSelector=a%3Db`, 'GET', 400, 'selectors are not supported'],
  ])('%s %s: %i', async (path, method, code, message) => {
    const { json } = await startServing();
    expect(await json(path, { ...admin, method })).toMatchObject({ kind: 'Status', status: 'Failure', code, message });
  });
});
