import { describe, expect, test } from 'vitest';
import {
  as,
  authorityOf,
  clientCa,
  clientOf,
  core,
  frontProxy,
  frontProxyCa,
  startServing,
  strangersCa,
  trustData,
  until,
} from './running.ts';

const list = '/apis/demo.apisvc.dev/v1alpha1/hosts';

describe('who asks', () => {
  test('is whom the front proxy names, with all that it says of them', async () => {
    const known = core();
    const { get } = await startServing(known);
    const { code } = await get(
      list,
      as('jane', ['dev', 'ops'], { 'x-remote-uid': '7', 'x-remote-extra-scopes': ['a', 'b'], 'x-remote-extra-example.com%2fkey': 'c' }),
    );
    expect(code).toBe(200);
    expect(known.asked).toEqual([
      {
        user: 'jane',
        uid: '7',
        groups: ['dev', 'ops', 'system:authenticated'],
        extra: { scopes: ['a', 'b'], 'example.com/key': ['c'] },
        resourceAttributes: {
          namespace: '',
          verb: 'list',
          group: 'demo.apisvc.dev',
          version: 'v1alpha1',
          resource: 'hosts',
          subresource: '',
          name: '',
        },
      },
    ]);
  });

  test('is the person of a client certificate of the cluster', async () => {
    const known = core();
    const { get } = await startServing(known);
    expect((await get(list, { client: await clientOf(clientCa, 'jane', ['dev', 'ops']) })).code).toBe(200);
    expect(known.asked).toMatchObject([{ user: 'jane', groups: ['dev', 'ops', 'system:authenticated'] }]);
  });

  test('is whom kube-apiserver says that a token belongs to', async () => {
    const known = core({ tokens: { good: { username: 'system:serviceaccount:a:b', groups: ['system:serviceaccounts'] } } });
    const { get } = await startServing(known);
    expect((await get(list, { headers: { authorization: 'Bearer good' } })).code).toBe(200);
    expect(known.asked).toMatchObject([
      { token: 'good' },
      { user: 'system:serviceaccount:a:b', groups: ['system:serviceaccounts', 'system:authenticated'] },
    ]);
  });

  test('is nobody without any of that', async () => {
    const known = core({ allows: ({ user }) => user !== 'system:anonymous' });
    const { get, json } = await startServing(known);
    expect((await get(list)).code).toBe(403);
    expect(known.asked).toMatchObject([{ user: 'system:anonymous', groups: ['system:unauthenticated'] }]);
    expect(await json(list)).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message:
        'hosts.demo.apisvc.dev is forbidden: User "system:anonymous" cannot list resource "hosts" in API group "demo.apisvc.dev" at the cluster scope: no rule',
      reason: 'Forbidden',
      details: { group: 'demo.apisvc.dev', kind: 'hosts' },
      code: 403,
    });
  });
});

describe('the headers of the front proxy are not believed', () => {
  const masters = { 'x-remote-user': 'system:admin', 'x-remote-group': 'system:masters' };

  test('without its certificate', async () => {
    const known = core({ allows: () => false });
    const { get } = await startServing(known);
    expect((await get(list, { headers: masters })).code).toBe(403);
    expect(known.asked).toMatchObject([{ user: 'system:anonymous' }]);
  });

  test('from a user of the cluster, who stays who they are', async () => {
    const known = core({ allows: () => false });
    const { get } = await startServing(known);
    expect((await get(list, { headers: masters, client: await clientOf(clientCa, 'jane') })).code).toBe(403);
    expect(known.asked).toMatchObject([{ user: 'jane', groups: ['system:authenticated'] }]);
  });

  test.each([
    ['of another CA', () => clientOf(strangersCa, 'front-proxy-client'), 'is not of requestheader-client-ca-file'],
    [
      'of another CA that carries the name of the right one',
      async () => clientOf(await authorityOf('front-proxy'), 'front-proxy-client'),
      'is not of requestheader-client-ca-file',
    ],
    [
      'with a name that is not allowed',
      () => clientOf(frontProxyCa, 'somebody'),
      'x509: subject with cn=somebody is not in the allowed list',
    ],
    [
      'that has expired',
      () => clientOf(frontProxyCa, 'front-proxy-client', [], new Date(Date.now() - 3 * 86_400_000)),
      'is not of requestheader-client-ca-file',
    ],
  ])('with a certificate %s', async (_, client, words) => {
    const known = core();
    const { get, said } = await startServing(known);
    const { code, text } = await get(list, { headers: masters, client: await client() });
    expect({ code, ...JSON.parse(text) }).toMatchObject({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });
    expect(said()).toContain(words);
    expect(known.asked).toEqual([]);
  });

  test('and any name is allowed where none is listed', async () => {
    const { get } = await startServing(core({ trust: { ...trustData, 'requestheader-allowed-names': '[]' } }));
    expect((await get(list, { headers: masters, client: await clientOf(frontProxyCa, 'somebody') })).code).toBe(200);
  });

  test('and its certificate alone makes nobody of it', async () => {
    const { get } = await startServing();
    expect((await get(list, { client: frontProxy })).code).toBe(401);
  });

  test('once kube-apiserver publishes another CA', async () => {
    const known = core();
    const { get } = await startServing(known);
    const other = { headers: masters, client: await clientOf(strangersCa, 'front-proxy-client') };
    expect((await get(list, { headers: masters, client: frontProxy })).code).toBe(200);
    expect((await get(list, other)).code).toBe(401);
    await until(() => known.changed !== undefined);
    known.trust = { ...trustData, 'requestheader-client-ca-file': strangersCa.certificates };
    known.changed?.();
    await until(async () => (await get(list, other)).code === 200);
    expect((await get(list, { headers: masters, client: frontProxy })).code).toBe(401);
  });
});

test('a token that nobody knows is refused', async () => {
  const { get, said } = await startServing();
  expect((await get(list, { headers: { authorization: 'Bearer bad' } })).code).toBe(401);
  expect(said()).toContain('invalid bearer token');
  expect(said()).not.toContain('Bearer');
});
