import { hostname, totalmem } from 'node:os';
import { describe, expect, test } from 'vitest';
import { objectName } from '../../../../src/sandbox/machine/measure.ts';
import { groupDiscoveryType, tableType } from '../../../../src/sandbox/machine/media-type.ts';
import { parseResourceList } from '../../../../src/verify/checks/discovery.ts';
import { as, startServing } from './running.ts';

const root = '/apis/machine.apisvc.dev/v1alpha1';
const name = objectName(hostname());
const admin = as('admin', ['system:masters']);
const asking = (accept: string) => as('admin', ['system:masters'], { accept });

describe('the machine', () => {
  test('is measured when it is asked for', async () => {
    const { json } = await startServing();
    const before = Date.now();
    const machine = await json(`${root}/machines/${name}`, admin);
    expect(machine).toMatchObject({ apiVersion: 'machine.apisvc.dev/v1alpha1', kind: 'Machine', metadata: { name } });
    expect(Date.parse(machine.timestamp)).toBeGreaterThan(before - 2_000);
    const bytes = (quantity: string) =>
      Number.parseInt(quantity, 10) * 1024 ** ['', 'Ki', 'Mi', 'Gi', 'Ti'].indexOf(quantity.replace(/^\d+/, ''));
    expect(bytes(machine.capacity.memory)).toBe(totalmem());
    expect(bytes(machine.usage.memory) + bytes(machine.free.memory)).toBe(totalmem());
    expect(Object.values(machine.load)).toEqual([1, 2, 3].map(() => expect.stringMatching(/^\d+\.\d\d$/)));
    expect(machine.uptime).toMatch(/^(\d+h)?(\d+m)?\d+s$/);
  });

  test('is the only one of its list', async () => {
    const { json } = await startServing();
    expect(await json(`${root}/machines`, admin)).toMatchObject({ kind: 'MachineList', items: [{ kind: 'Machine', metadata: { name } }] });
  });

  test.each([`${root}/machines`, `${root}/machines/${name}`])('%s is a table for kubectl', async (path) => {
    const { json } = await startServing();
    const table = await json(
      `${path}?limit=500`,
      asking(`${tableType},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`),
    );
    expect(table).toMatchObject({ kind: 'Table', rows: [{ object: { kind: 'PartialObjectMetadata', metadata: { name } } }] });
    expect(table.rows[0].cells).toHaveLength(table.columnDefinitions.length);
    expect(table.rows[0].cells[0]).toBe(name);
  });

  test('comes with its row where kubectl asks for that', async () => {
    const { json } = await startServing();
    const [whole] = (await json(`${root}/machines?includeObject=Object`, asking(tableType))).rows;
    expect(whole.object).toMatchObject({ kind: 'Machine', capacity: {} });
    const [none] = (await json(`${root}/machines?includeObject=None`, asking(tableType))).rows;
    expect(none).not.toHaveProperty('object');
  });
});

describe('discovery', () => {
  test('lists the resource', async () => {
    const { get } = await startServing();
    const { text } = await get(root, admin);
    expect(parseResourceList(text)).toEqual({ groupVersion: 'machine.apisvc.dev/v1alpha1', resources: ['machines'] });
    const [resource] = JSON.parse(text).resources;
    expect(resource).toEqual({
      name: 'machines',
      singularName: 'machine',
      kind: 'Machine',
      namespaced: false,
      verbs: ['get', 'list'],
      shortNames: ['mc'],
    });
  });

  test('knows the group', async () => {
    const { json } = await startServing();
    expect(await json('/apis/machine.apisvc.dev', admin)).toMatchObject({ kind: 'APIGroup', preferredVersion: { version: 'v1alpha1' } });
    expect(await json('/apis', admin)).toMatchObject({ kind: 'APIGroupList', groups: [{ name: 'machine.apisvc.dev' }] });
  });

  test('comes in one document for kube-apiserver', async () => {
    const { get } = await startServing();
    const { headers, text } = await get('/apis', asking(`${groupDiscoveryType},application/json;q=0.9`));
    expect(headers['content-type']).toBe(groupDiscoveryType);
    const [group] = JSON.parse(text).items;
    expect(group).toMatchObject({
      metadata: { name: 'machine.apisvc.dev' },
      versions: [{ version: 'v1alpha1', resources: [{ resource: 'machines' }] }],
    });
  });

  test('leads to the schema', async () => {
    const { json } = await startServing();
    const { paths } = await json('/openapi/v3', admin);
    const { serverRelativeURL } = paths['apis/machine.apisvc.dev/v1alpha1'];
    const { components } = await json(serverRelativeURL, admin);
    const machine = (await json(`${root}/machines`, admin)).items[0];
    expect(Object.keys(components.schemas.Machine.properties).sort()).toEqual(Object.keys(machine).sort());
  });
});

describe('what is not there or can not be done', () => {
  test.each([
    [`${root}/machines/other`, 'GET', 404, 'machines.machine.apisvc.dev "other" not found'],
    [`${root}/machines/${name}/status`, 'GET', 404, 'the server could not find the requested resource'],
    [`${root}/namespaces/a/machines`, 'GET', 404, 'the server could not find the requested resource'],
    [`${root}/others`, 'GET', 404, 'the server could not find the requested resource'],
    ['/apis/machine.apisvc.dev/v2', 'GET', 404, 'the server could not find the requested resource'],
    ['/metrics', 'GET', 404, 'the server could not find the requested resource'],
    ['//', 'GET', 404, 'the server could not find the requested resource'],
    [`${root}/machines`, 'POST', 405, 'the server does not allow this method on the requested resource'],
    [`${root}/machines/${name}`, 'DELETE', 405, 'the server does not allow this method on the requested resource'],
    [`${root}/machines?watch=true`, 'GET', 405, 'the server does not allow this method on the requested resource'],
    [root, 'PUT', 405, 'the server does not allow this method on the requested resource'],
    [`${root}/machines?labelSelector=a%3Db`, 'GET', 400, 'machines can not be selected: there is one'],
  ])('%s %s: %i', async (path, method, code, message) => {
    const { json } = await startServing();
    expect(await json(path, { ...admin, method })).toMatchObject({ kind: 'Status', status: 'Failure', code, message });
  });
});
