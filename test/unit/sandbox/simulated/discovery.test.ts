import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Obj } from '../../../../src/sandbox/simulated/types.ts';
import { type Running, startRunning } from './running.ts';

let running: Running;
beforeAll(async () => {
  running = await startRunning();
});
afterAll(() => running.stop());

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const get = async (path: string): Promise<Obj> => (await running.ask(`GET ${path}`)).json;

test('groups by priority, the one of APIServices first', async () => {
  const { kind, groups } = await get('/apis');
  expect(kind).toBe('APIGroupList');
  expect(groups.slice(0, 4).map(({ name }: Obj) => name)).toEqual(['apiregistration.k8s.io', 'apps', 'events.k8s.io', 'discovery.k8s.io']);
  expect(await get('/apis/apps')).toMatchObject({ kind: 'APIGroup', preferredVersion: { groupVersion: 'apps/v1' } });
});

test('resources with their status', async () => {
  const { kind, groupVersion, resources } = await get('/apis/apps/v1');
  expect([kind, groupVersion]).toEqual(['APIResourceList', 'apps/v1']);
  expect(resources.map(({ name }: Obj) => name)).toEqual(['deployments', 'deployments/status', 'replicasets', 'replicasets/status']);
  expect(resources.find(({ name }: Obj) => name === 'deployments')).toEqual({
    name: 'deployments',
    singularName: 'deployment',
    namespaced: true,
    kind: 'Deployment',
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    shortNames: ['deploy'],
    categories: ['all'],
  });
});

test('aggregated discovery lists the same resources (KEP-3352)', async () => {
  for (const [path, name, version] of [
    ['/apis', 'apps', '/apis/apps/v1'],
    ['/api', undefined, '/api/v1'],
  ] as const) {
    const answer = await running.ask(`GET ${path}`, { headers: { accept: `${aggregated},application/json` } });
    expect(answer.headers['content-type']).toBe(aggregated);
    const group = answer.json.items.find(({ metadata }: Obj) => metadata.name === name);
    const { resources } = await get(version);
    expect(group.versions[0].resources.map(({ resource }: Obj) => resource)).toEqual(
      resources.map((each: Obj) => each.name).filter((each: string) => !each.includes('/')),
    );
  }
});

test('OpenAPI lists the options of PATCH, in a document whose URL has its hash', async () => {
  const { paths } = await get('/openapi/v3');
  const document = await get(paths['apis/apiregistration.k8s.io/v1'].serverRelativeURL);
  const { patch } = document.paths['/apis/apiregistration.k8s.io/v1/apiservices/{name}'];
  expect(patch.parameters.map(({ name }: Obj) => name)).toEqual(expect.arrayContaining(['dryRun', 'fieldValidation']));
  expect(patch['x-kubernetes-group-version-kind']).toEqual({ group: 'apiregistration.k8s.io', version: 'v1', kind: 'APIService' });
});

test('it says that it is a simulation', async () => {
  expect((await get('/version')).gitVersion).toBe('v1.37.2+apisvc.simulation');
});

test.each(['/healthz', '/livez', '/readyz'])('%s is ok', async (path) => {
  expect(await running.ask(`GET ${path}`)).toMatchObject({ status: 200, text: 'ok' });
});

test.each(['/foo', '/apis/none.example', '/apis/none.example/v1/things'])('%s is not found', async (path) => {
  expect(await running.ask(`GET ${path}`)).toMatchObject({ status: 404, text: '404 page not found\n' });
});
