import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../../src/errors.ts';
import { takeSnapshot } from '../../../../src/snapshot/collect/snapshot.ts';
import type { ApiSnapshot, SnapshotOptions, Wanted } from '../../../../src/snapshot/types.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';
import { apiService, collect, many, type Situation, services } from './collecting.ts';

/** The requests for a whole cluster, and the snapshot of the answers. */

describe('the log of the server is not read, because', () => {
  const list = (...names: string[]) => ({
    kind: 'APIResourceList',
    groupVersion: 'custom.metrics.k8s.io/v1',
    resources: names.map((name) => ({ name, verbs: ['get'] })),
  });
  test.each<[string, string, object]>([
    ['the API is not one of metrics', 'g1.example.com', list()],
    ['the API does not list its resources', 'custom.metrics.k8s.io', { kind: 'Status' }],
    ['the API has resources', 'custom.metrics.k8s.io', list('pods')],
    ['the container of the server is not known', 'custom.metrics.k8s.io', list()],
  ])('%s', async (words, group, document) => {
    const registered = {
      metadata: { name: `v1.${group}` },
      spec: { group, version: 'v1', service: { namespace: 'ns1', name: 's1', port: 443 } },
    };
    const { apis } = await collect({ apiServices: [registered], paths: { [`/apis/${group}/v1`]: document } }, { names: [`v1.${group}`] });
    expect(apis[0]?.serverLog).toEqual({ state: 'unseen', reason: 'skipped', words });
  });
});

describe('many APIServices', () => {
  test('objects are listed, not read one by one', async () => {
    const { apis, count } = await collect({ apiServices: many, services }, { all: true });
    expect(apis.map(({ name }) => name)).toEqual(many.map((_, index) => `v1.g${index}.example.com`).sort());
    expect(apis.every((api) => api.service.state === 'seen' && api.endpoints.state === 'seen')).toBe(true);
    expect({
      services: count(/GET \/api\/v1\/services$/),
      slices: count(/GET \/apis\/discovery.k8s.io\/v1\/endpointslices$/),
      leases: count(/GET \/apis\/coordination.k8s.io\/v1\/leases\?labelSelector=/),
      configMap: count(/configmaps/),
      single: count(/apiservices\/|namespaces\/ns\d\//),
      namespaces: count(/namespaces\/ns\d$/),
    }).toEqual({ services: 1, slices: 1, leases: 1, configMap: 1, single: 20, namespaces: 3 });
    // The other requests for Services are service proxies, because none of the APIs answers.
    expect(count(/\/proxy\/apis\//)).toBe(20);
  });

  test('objects are read one by one where lists are forbidden', async () => {
    const { apis, count } = await collect(
      { apiServices: many, services, forbidden: /\/(api\/v1\/services|apis\/discovery.k8s.io\/v1\/endpointslices)$/ },
      { all: true },
    );
    expect(apis.every((api) => api.service.state === 'seen' && api.endpoints.state === 'seen')).toBe(true);
    expect(count(/GET \/api\/v1\/namespaces\/ns\d\/services\/s\d+$/)).toBe(20);
  });

  test('kube-apiserver evaluates a label selector', async () => {
    const { apis } = await collect({ apiServices: many, services }, { labelSelector: 'half=1' });
    expect(apis).toHaveLength(10);
  });

  test('names keep their order, including those that do not exist', async () => {
    const names = [7, 99, 3, 1, 2].map((index) => `v1.g${index}.example.com`);
    const { apis } = await collect({ apiServices: many, services }, { names });
    expect(apis.map(({ name, apiService: { state } }) => [name, state])).toEqual(
      names.map((name, index) => [name, index === 1 ? 'absent' : 'seen']),
    );
  });

  test('a Service is read once, however many APIServices point at it', async () => {
    const shared = { service: { namespace: 'ns0', name: 's0', port: 443 } };
    const { apis, count } = await collect({ apiServices: many.map((_, index) => apiService(index, shared)), services }, { all: true });
    expect(apis).toHaveLength(20);
    expect(count(/GET \/api\/v1\/namespaces\/ns0\/services\/s0$/)).toBe(1);
  });

  test('progress counts up to all of them', async () => {
    const seen: string[] = [];
    await collect({ apiServices: many, services }, { all: true }, { onProgress: (done, total) => seen.push(`${done}/${total}`) });
    expect(seen).toEqual(many.map((_, index) => `${index + 1}/20`));
  });

  test('servers that hang cost one time-out together, and are recorded', { timeout: 30_000 }, async () => {
    const { apis, hanging } = await collect({ apiServices: many, services, silent: /^\/apis\/g\d*[02468]\.example/ }, { all: true });
    expect(hanging.total).toBeGreaterThanOrEqual(10);
    expect(hanging.peak).toBe(hanging.total);
    const states = apis.map(({ name, aggregated }) => [
      Number(/\d+/.exec(name.slice(2))) % 2,
      aggregated.state === 'unseen' ? aggregated.words : 'seen',
    ]);
    expect(states.sort()).toEqual([...Array(10).fill([0, 'no response within 10 s']), ...Array(10).fill([1, 'seen'])]);
  });
});

test('--all needs the permission to list APIServices', async () => {
  await expect(collect({ apiServices: [], forbidden: /apiservices/ }, { all: true })).rejects.toMatchObject({
    message: expect.stringContaining('not allowed to list apiservices.apiregistration.k8s.io: '),
    fix: expect.stringContaining('resources: [apiservices], verbs: [list]'),
  });
});

describe('one APIService', () => {
  const one = async (situation: Partial<Situation> = {}, options: SnapshotOptions = {}) => {
    const found = await collect({ apiServices: [apiService(0)], services, ...situation }, { names: ['v1.g0.example.com'] }, options);
    return { ...found, api: found.apis[0] as ApiSnapshot };
  };

  test('nothing is requested for a Local one', async () => {
    const { api, count } = await one({ apiServices: [apiService(0, { service: undefined })] });
    expect(count(/ \/apis\/g0|openapi|\/services\/|endpointslices/)).toBe(1);
    const nothing = { state: 'unseen', reason: 'skipped', words: 'it is Local: kube-apiserver serves it itself' };
    const { service: behind, endpoints, pods, probes, server, secret, group, openApi, serviceProxy, anonymous, forged } = api;
    for (const each of [behind, endpoints, pods, probes, server, secret, group, openApi, serviceProxy, anonymous, forged])
      expect(each).toEqual(nothing);
  });

  test('the neighbours are those of its group, of its Service, and the Local ones', async () => {
    const apiServices = [
      apiService(0),
      { ...apiService(0), metadata: { name: 'v2.g0.example.com' } },
      apiService(1, { service: { namespace: 'ns0', name: 's0', port: 443 } }),
      apiService(2, { service: undefined }),
      apiService(3),
    ];
    const { api } = await one({ apiServices });
    const names = api.neighbours.state === 'seen' ? api.neighbours.value.map(({ name, service: at }) => [name, at]) : [];
    expect(names).toEqual([
      ['v2.g0.example.com', 'ns0/s0'],
      ['v1.g1.example.com', 'ns0/s0'],
      ['v1.g2.example.com', undefined],
    ]);
  });

  test('the group and OpenAPI are requested where discovery works, and the OpenAPI document is not kept', async () => {
    const list = { kind: 'APIResourceList', groupVersion: 'g0.example.com/v1', resources: [] };
    const paths = { '/apis/g0.example.com/v1': list, '/openapi/v3/apis/g0.example.com/v1': { openapi: '3.0.0' } };
    const { api, count } = await one({ paths });
    expect(api.openApi).toEqual({ state: 'seen', value: { path: '/openapi/v3/apis/g0.example.com/v1', status: 200, body: '' } });
    expect(api.serviceProxy).toMatchObject({ state: 'unseen', reason: 'skipped' });
    expect(count(/proxy/)).toBe(0);
    expect(count(/\/apis\/g0.example.com$/)).toBe(1);
    const failing = await one();
    expect(failing.api.openApi).toMatchObject({ state: 'unseen', reason: 'skipped' });
    expect(failing.api.group).toMatchObject({ state: 'unseen', reason: 'skipped' });
    expect(failing.count(/\/apis\/g0.example.com$/)).toBe(0);
  });

  test('the group is requested too where RBAC forbids discovery', async () => {
    const { api, count } = await one({ forbidden: /\/apis\/g0.example.com/ });
    expect(api.group).toMatchObject({ state: 'unseen', reason: 'forbidden' });
    expect(count(/GET \/apis\/g0.example.com$/)).toBe(1);
  });

  test('the service proxy is not used for a Service that does not exist', async () => {
    const { api, count } = await one({ services: [] });
    expect(api.serviceProxy).toEqual({ state: 'unseen', reason: 'skipped', words: 'the Service does not exist' });
    expect([count(/\/proxy\//), count(/\/services\/s0$/)]).toEqual([0, 1]);
  });

  test('the answer for --as-user is requested by impersonation', async () => {
    const { api, requests } = await one({}, { asUser: 'system:serviceaccount:ns0:jane' });
    expect(api.asUser).toMatchObject({ state: 'seen', value: { user: 'system:serviceaccount:ns0:jane', status: 404, allowed: false } });
    const as = requests.filter(({ headers }) => headers['impersonate-user'] !== undefined);
    expect(as.map(({ url }) => url)).toEqual(['/apis/g0.example.com/v1']);
    const review = requests.find(({ url }) => url.endsWith('/subjectaccessreviews'));
    expect(JSON.parse(review?.body ?? '{}').spec).toEqual({
      user: 'system:serviceaccount:ns0:jane',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:ns0', 'system:authenticated'],
      nonResourceAttributes: { path: '/apis/g0.example.com/v1', verb: 'get' },
    });
  });

  test('what RBAC forbids is recorded with the rule that allows it', async () => {
    const { api } = await one({ forbidden: /configmaps|\/proxy\// });
    const refused = (rule: string) => ({ state: 'unseen', reason: 'forbidden', words: expect.stringContaining(rule) });
    expect(api.requestHeader).toEqual(
      refused(
        'Role in namespace kube-system: {apiGroups: [""], resources: [configmaps], resourceNames: ["extension-apiserver-authentication"], verbs: [get]}',
      ),
    );
    expect(api.serviceProxy).toEqual(refused('resources: [services/proxy], resourceNames: ["https:s0:443"], verbs: [get]'));
  });
});

test('an error in one request ends all others', async () => {
  const cluster = await clusterOf((_, response) => answer(response, 404, notFound('')));
  const damaged = new UsageError('the client certificate is damaged');
  // An unhandled rejection would fail the test run.
  const broken = { ...cluster, request: async () => Promise.reject(damaged) };
  await expect(takeSnapshot(broken, { names: ['v1.g0.example.com'] }, {}, never)).rejects.toBe(damaged);
});

test.each<[string, Wanted]>([
  ['one by one', { names: ['v1.g1.example.com'] }],
  ['in a list', { all: true }],
])('a private key in a caBundle is not kept: %s', async (_, wanted) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const caBundle = Buffer.from(key).toString('base64');
  const { apis } = await collect({ apiServices: [apiService(1, { caBundle })] }, wanted);
  const [api] = apis.map((each) => (each.apiService.state === 'seen' ? each.apiService.value.caBundle : ''));
  expect(Buffer.from(api ?? '', 'base64').toString()).toMatch(/^-----BEGIN PRIVATE KEY-----\nA+\n/);
  expect(JSON.stringify(apis)).not.toContain(caBundle.slice(100, 140));
});
