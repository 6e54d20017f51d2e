import type http from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import { createRemoteDiscovery, type RemoteDiscovery } from '../../../../src/sandbox/simulated/aggregated-discovery.ts';
import { compareVersions, groupsOf } from '../../../../src/sandbox/simulated/discovery.ts';
import { apiServiceKind } from '../../../../src/sandbox/simulated/lookup.ts';
import { bundleOf, certificates, expose, httpsServer, listen, name, register, simulate } from './testbed.ts';

const v2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
type Served = Readonly<Record<string, readonly [number, unknown, string?]>>;

/** The discovery of a server with these answers, and 404 for other paths. */
async function discover(served: Served): Promise<{ discovery: RemoteDiscovery; asked: http.IncomingMessage[] }> {
  const simulation = await simulate();
  const { ca, leaf } = await certificates();
  const asked: http.IncomingMessage[] = [];
  const listener: http.RequestListener = (request, response) => {
    asked.push(request);
    const [status, body, type = 'application/json'] = served[request.url ?? ''] ?? [404, 'nothing here'];
    response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
  };
  expose(simulation, await listen(httpsServer([leaf], listener)));
  register(simulation, { caBundle: bundleOf(ca) });
  const discovery = createRemoteDiscovery(simulation);
  await vi.waitFor(() => expect(discovery.versions().size).toBe(1));
  return { discovery, asked };
}

const versionWith = (version: object) => new Map([[name, { version: 'v1', ...version }]]);

const things = {
  resource: 'things',
  responseKind: { group: 'example.com', version: 'v1', kind: 'Thing' },
  scope: 'Namespaced',
  singularResource: 'thing',
  verbs: ['get'],
};

describe('a group and version', () => {
  test('is the aggregated discovery of the server', async () => {
    const odd = {
      resource: 'odd',
      scope: 'Cluster',
      singularResource: '',
      verbs: ['get'],
      subresources: [{ subresource: 'log', verbs: ['get'] }],
    };
    const versions = [{ version: 'v2' }, { version: 'v1', resources: [things, odd], freshness: 'Stale' }];
    const { discovery, asked } = await discover({
      '/apis': [200, { items: [{ metadata: { name: 'other' } }, { metadata: { name: 'example.com' }, versions }] }, v2],
    });
    expect(discovery.versions()).toEqual(versionWith({ resources: [things, odd], freshness: 'Current' }));
    expect(asked[0]?.headers).toMatchObject({ accept: v2, 'x-remote-user': 'system:kube-aggregator', 'x-remote-group': 'system:masters' });
  });

  test('is the legacy discovery of a server without aggregated discovery', async () => {
    const resources = [
      { name: 'things', singularName: 'thing', namespaced: true, kind: 'Thing', verbs: ['get'], shortNames: ['th'], categories: ['all'] },
      { name: 'things/status', singularName: '', namespaced: true, kind: 'Thing', verbs: ['patch'] },
    ];
    const { discovery, asked } = await discover({ '/apis': [200, {}], '/apis/example.com/v1': [200, { resources }] });
    const kind = { group: '', version: '', kind: 'Thing' };
    expect(discovery.versions()).toEqual(
      versionWith({
        resources: [
          {
            ...things,
            responseKind: kind,
            shortNames: ['th'],
            categories: ['all'],
            subresources: [{ subresource: 'status', responseKind: kind, verbs: ['patch'] }],
          },
        ],
        freshness: 'Current',
      }),
    );
    expect(asked[1]?.headers).toMatchObject({ accept: 'application/json', 'x-remote-user': 'system:kube-aggregator' });
  });

  test.each<[string, Served]>([
    ['nothing', {}],
    ['that it is overloaded', { '/apis': [503, ''], '/apis/example.com/v1': [200, { resources: [] }] }],
  ])('is stale when the server says %s', async (_, served) => {
    const { discovery } = await discover(served);
    expect(discovery.versions()).toEqual(versionWith({ freshness: 'Stale' }));
  });
});

test("the OpenAPI index gets only documents of the server's own group", async () => {
  const paths = Object.fromEntries(
    ['apis/example.com', 'apis/example.com/v1', 'apis/example.com.evil/v1', 'version'].map((path) => [
      path,
      { serverRelativeURL: `/openapi/v3/${path}?hash=1` },
    ]),
  );
  const { discovery, asked } = await discover({ '/apis/example.com/v1': [200, { resources: [] }], '/openapi/v3': [200, { paths }] });
  await vi.waitFor(() => expect(Object.keys(discovery.openApi())).toEqual(['apis/example.com', 'apis/example.com/v1']));
  expect(asked.at(-1)?.headers['x-remote-user']).toBe('system:aggregator');
});

test('a group is removed with its APIService', async () => {
  const simulation = await simulate();
  register(simulation, {});
  const discovery = createRemoteDiscovery(simulation);
  await vi.waitFor(() => expect(discovery.versions()).toEqual(versionWith({ freshness: 'Stale' })));
  simulation.store.delete(apiServiceKind, undefined, name);
  expect(discovery.versions().size).toBe(0);
});

test('groups and versions are sorted by priority, available or not', async () => {
  const { store } = await simulate();
  const put = (group: string, version: string, groupPriorityMinimum: number, versionPriority: number) =>
    store.create(apiServiceKind, {
      metadata: { name: `${version}.${group}` },
      spec: { group, version, groupPriorityMinimum, versionPriority },
    });
  put('b.io', 'v1beta1', 10, 5);
  put('b.io', 'v1', 20, 5);
  put('b.io', 'v2', 10, 1);
  put('c.io', 'v1', 30, 1);
  put('a.io', 'v1', 20, 1);
  put('', 'v1', 18_000, 1);
  expect(groupsOf(store)).toEqual([
    { name: 'apiregistration.k8s.io', versions: ['v1'] },
    { name: '', versions: ['v1'] },
    { name: 'c.io', versions: ['v1'] },
    { name: 'a.io', versions: ['v1'] },
    { name: 'b.io', versions: ['v1', 'v1beta1', 'v2'] },
  ]);
});

test('versions are compared as Kubernetes does', () => {
  const sorted = ['v10', 'v2', 'v1', 'v11beta2', 'v10beta3', 'v3beta1', 'v12alpha1', 'v11alpha2', 'foo1', 'foo10'];
  expect([...sorted].reverse().sort((one, other) => compareVersions(other, one))).toEqual(sorted);
});
