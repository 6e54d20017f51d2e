import { describe, expect, test } from 'vitest';
import { collectContext } from '../../../../src/snapshot/collect/context.ts';
import { collectList, type ListRequest } from '../../../../src/snapshot/collect/list.ts';
import type { HttpView, Observed } from '../../../../src/snapshot/types.ts';
import { answer, clusterOf, never, type Received, status } from '../../cluster/kube-api.ts';

/** Which list of an API is requested, and what is kept of the answer. */

const root = '/apis/wardle.example.com/v1';
const document = (...resources: readonly object[]): Observed<HttpView> => ({
  state: 'seen',
  value: { path: root, status: 200, body: JSON.stringify({ kind: 'APIResourceList', groupVersion: 'wardle.example.com/v1', resources }) },
});
const listed = (name: string, ...verbs: readonly string[]) => ({ name, verbs: verbs.length > 0 ? verbs : ['get', 'list'] });

interface Situation extends Partial<Pick<ListRequest, 'probe' | 'user'>> {
  readonly discovery?: Observed<HttpView>;
  /** The resources that RBAC does not allow to list. */
  readonly denied?: readonly string[];
  readonly reply?: readonly [code: number, body: object];
}

async function collect({ discovery = document(listed('things')), denied = [], reply = [200, {}], ...more }: Situation) {
  const requests: Received[] = [];
  const cluster = await clusterOf((request, response) => {
    requests.push(request);
    const isDenied = (text: string) => denied.some((name) => text.includes(name));
    if (request.method === 'POST') {
      const { resourceAttributes } = JSON.parse(request.body).spec;
      return answer(response, 201, { status: { allowed: !isDenied(resourceAttributes.resource) } });
    }
    if (isDenied(request.url)) return answer(response, 403, status(403, 'Forbidden', 'things is forbidden'));
    return answer(response, ...reply);
  });
  const request = { root, discovery: Promise.resolve(discovery), probe: more.probe, user: more.user };
  const lists = await collectList(collectContext(cluster, never), request);
  return { ...lists, gets: requests.filter(({ method }) => method === 'GET').map(({ url }) => url), requests };
}

const skipped = { state: 'unseen', reason: 'skipped' };

describe('the requested list', () => {
  test.each<[string, readonly object[], string]>([
    ['is that of the first resource by name', [listed('things'), listed('hosts')], 'hosts'],
    ['is that of a resource with the verb list', [listed('hosts', 'create'), listed('things')], 'things'],
    ['is not that of a subresource', [listed('hosts/status'), listed('things')], 'things'],
    ['has the name of a resource, and not a part of a path', [listed('a/../b'), listed('../c'), listed('things')], 'things'],
  ])('%s', async (_, resources, name) => {
    const { list, gets } = await collect({ discovery: document(...resources) });
    expect(gets).toEqual([`${root}/${name}?limit=1`]);
    expect(list).toEqual({ state: 'seen', value: { path: `${root}/${name}?limit=1`, status: 200, body: '' } });
  });

  test.each<[string, Observed<HttpView>]>([
    ['without a resource that can be listed', document(listed('challenges', 'create'))],
    ['without resources', document()],
    ['without a discovery document', { state: 'seen', value: { path: root, status: 200, body: '<html>' } }],
    ['whose discovery fails', { state: 'seen', value: { path: root, status: 503, body: 'service unavailable' } }],
  ])('does not exist for a server %s', async (_, discovery) => {
    expect(await collect({ discovery })).toMatchObject({ list: skipped, listAsUser: skipped, gets: [] });
  });

  test('is one that RBAC allows', async () => {
    const discovery = document(listed('a-secret'), listed('b-secret'), listed('things'));
    const { list, gets } = await collect({ discovery, denied: ['secret'] });
    expect(gets).toEqual([`${root}/a-secret?limit=1`, `${root}/things?limit=1`]);
    expect(list).toMatchObject({ state: 'seen', value: { status: 200 } });
  });

  test('is not checked if RBAC allows none', async () => {
    const { list } = await collect({ discovery: document(listed('hosts'), listed('things')), denied: ['hosts', 'things'] });
    const rule = 'Grant this RBAC rule: ClusterRole: {apiGroups: ["wardle.example.com"], resources: [hosts], verbs: [list]}';
    expect(list).toEqual({ state: 'unseen', reason: 'forbidden', words: `things is forbidden. ${rule}` });
  });

  test('is refused by the server if RBAC allows it', async () => {
    const { list } = await collect({ reply: [403, status(403, 'Forbidden', 'no')] });
    expect(list).toMatchObject({ state: 'seen', value: { status: 403, body: expect.stringContaining('no') } });
  });

  test('keeps no objects', async () => {
    const { list, listAsUser } = await collect({
      reply: [200, { items: [{ password: 'secret' }] }],
      user: { name: 'jane', current: false },
    });
    expect(JSON.stringify([list, listAsUser])).not.toContain('secret');
  });
});

describe('--probe', () => {
  test('replaces the list of its API', async () => {
    const path = `${root}/namespaces/default/hosts/one`;
    expect(await collect({ probe: ['/apis/other.example.com/v1/hosts', path] })).toMatchObject({ gets: [path], probed: true });
  });

  test('of another API changes nothing', async () => {
    const { gets, probed } = await collect({ probe: ['/apis/wardle.example.com/v10/hosts'] });
    expect({ gets, probed }).toEqual({ gets: [`${root}/things?limit=1`], probed: undefined });
  });

  test('names the missing permission of one object', async () => {
    const { list } = await collect({ probe: [`${root}/namespaces/default/hosts/one/status`], denied: ['hosts'] });
    expect(list).toMatchObject({
      words: expect.stringContaining(
        'Role in namespace default: {apiGroups: ["wardle.example.com"], resources: [hosts/status], resourceNames: ["one"], verbs: [get]}',
      ),
    });
  });

  test('does not exist with --no-probe', async () => {
    expect(await collect({ probe: 'none' })).toMatchObject({ list: skipped, gets: [] });
  });
});

describe('a user', () => {
  test('of --as-user requests the same list by impersonation', async () => {
    const { listAsUser, requests } = await collect({ user: { name: 'jane', current: false } });
    expect(requests.find(({ headers }) => headers['impersonate-user'] === 'jane')?.url).toBe(`${root}/things?limit=1`);
    const review = requests.find(({ url }) => url.endsWith('/subjectaccessreviews'));
    expect(JSON.parse(review?.body ?? '{}').spec).toEqual({
      user: 'jane',
      groups: ['system:authenticated'],
      resourceAttributes: { verb: 'list', group: 'wardle.example.com', resource: 'things' },
    });
    expect(listAsUser).toMatchObject({ state: 'seen', value: { user: 'jane', status: 200, allowed: true } });
  });

  test('of --as requests it once', async () => {
    const { list, listAsUser, gets } = await collect({ user: { name: 'jane', current: true } });
    expect(gets).toHaveLength(1);
    expect(list).toMatchObject({ state: 'seen' });
    expect(listAsUser).toMatchObject({ state: 'seen', value: { user: 'jane', status: 200, allowed: true } });
  });

  test('of --as who is refused is not a list that was not checked', async () => {
    const { list, listAsUser } = await collect({ denied: ['things'], user: { name: 'jane', current: true } });
    expect(list).toMatchObject(skipped);
    expect(listAsUser).toMatchObject({ state: 'seen', value: { user: 'jane', status: 403, allowed: false } });
  });
});
