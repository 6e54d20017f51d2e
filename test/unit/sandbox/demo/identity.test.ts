import { describe, expect, test } from 'vitest';
import { as, authorityOf, clientCa, clientOf, core, frontProxy, frontProxyCa, otherCa, startServing, trustData, until } from './running.ts';

const list = '/apis/demo.apisvc.dev/v1alpha1/hosts';

describe('the user', () => {
  test('is the one that the front proxy names, with UID and groups', async () => {
    const known = core();
    const { get } = await startServing(known);
    const { code } = await get(list, as('jane', ['dev', 'ops'], { 'x-remote-uid': '7' }));
    expect(code).toBe(200);
    expect(known.asked).toEqual([
      {
        user: 'jane',
        uid: '7',
        groups: ['dev', 'ops', 'system:authenticated'],
        extra: {},
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

  test('is the one of a bearer token, which kube-apiserver reviews', async () => {
    const known = core({ tokens: { good: { username: 'system:serviceaccount:a:b', groups: ['system:serviceaccounts'] } } });
    const { get } = await startServing(known);
    expect((await get(list, { headers: { authorization: 'Bearer good' } })).code).toBe(200);
    expect(known.asked).toMatchObject([
      { token: 'good' },
      { user: 'system:serviceaccount:a:b', groups: ['system:serviceaccounts', 'system:authenticated'] },
    ]);
  });

  test('is anonymous without credentials', async () => {
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

describe('the headers of the front proxy are rejected', () => {
  const unknownCa = 'is not signed by the CA in requestheader-client-ca-file';
  const masters = { 'x-remote-user': 'system:admin', 'x-remote-group': 'system:masters' };

  test('without its certificate', async () => {
    const known = core({ allows: () => false });
    const { get } = await startServing(known);
    expect((await get(list, { headers: masters })).code).toBe(403);
    expect(known.asked).toMatchObject([{ user: 'system:anonymous' }]);
  });

  test.each([
    ['of another CA', () => clientOf(otherCa, 'front-proxy-client'), unknownCa],
    ['of a user of the cluster', () => clientOf(clientCa, 'jane'), unknownCa],
    ['of another CA with the same name', async () => clientOf(await authorityOf('front-proxy'), 'front-proxy-client'), unknownCa],
    [
      'with a name that is not allowed',
      () => clientOf(frontProxyCa, 'somebody'),
      'x509: subject with cn=somebody is not in the allowed list',
    ],
    ['that has expired', () => clientOf(frontProxyCa, 'front-proxy-client', [], new Date(Date.now() - 3 * 86_400_000)), unknownCa],
  ])('with a certificate %s', async (_, client, message) => {
    const known = core();
    const { get, said } = await startServing(known);
    const { code, text } = await get(list, { headers: masters, client: await client() });
    expect({ code, ...JSON.parse(text) }).toMatchObject({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });
    expect(said()).toContain(message);
    expect(known.asked).toEqual([]);
  });

  test('but any name is allowed where none is listed', async () => {
    const { get } = await startServing(core({ trust: { ...trustData, 'requestheader-allowed-names': '[]' } }));
    expect((await get(list, { headers: masters, client: await clientOf(frontProxyCa, 'somebody') })).code).toBe(200);
  });

  test('and its certificate without a user name is not enough', async () => {
    const { get } = await startServing();
    expect((await get(list, { client: frontProxy })).code).toBe(401);
  });

  test('once kube-apiserver publishes another CA', async () => {
    const known = core();
    const { get } = await startServing(known);
    const other = { headers: masters, client: await clientOf(otherCa, 'front-proxy-client') };
    expect((await get(list, { headers: masters, client: frontProxy })).code).toBe(200);
    expect((await get(list, other)).code).toBe(401);
    await until(() => known.changed !== undefined);
    known.trust = { ...trustData, 'requestheader-client-ca-file': otherCa.certificates };
    known.changed?.();
    await until(async () => (await get(list, other)).code === 200);
    expect((await get(list, { headers: masters, client: frontProxy })).code).toBe(401);
  });
});

test('an unknown token is rejected', async () => {
  const { get, said } = await startServing();
  expect((await get(list, { headers: { authorization: 'Bearer bad' } })).code).toBe(401);
  expect(said()).toContain('invalid bearer token');
  expect(said()).not.toContain('Bearer');
});
