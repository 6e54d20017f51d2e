import { groupOf } from '../../harness/registrations.ts';
import type { Answer, Client } from '../client.ts';
import type { Step } from '../step.ts';
import { until } from '../until.ts';
import { expectStatus, namespace, type World } from '../world.ts';
import { serveEcho } from './extension-server.ts';
import { binding, rbac, role } from './rights.ts';

/** Requests as the extension API server gets them, and its answers as clients get them. */

/** Registers a server first. @param run - takes the path of its group and version */
const proxied = (name: string, run: (world: World, path: string) => Promise<unknown>, differs: Step['differs'] = []): Step => ({
  name: `proxied-${name}`,
  differs,
  run: async (world) => {
    const { keep, certificate, register, settled, host } = world;
    await expectStatus(201, register({ port: await keep(serveEcho(await certificate(), world.name, host)) }));
    await settled();
    return run(world, `/apis/${groupOf(world.name)}/v1`);
  },
});

const asking = (name: string, ask: (client: Client, path: string) => Promise<unknown>): Step =>
  proxied(name, ({ admin }, path) => ask(admin, path));

/** Allows a group to do this. */
const allow = (name: string, group: string, rule: object) => [
  role('ClusterRole', name, rule),
  binding('ClusterRoleBinding', name, 'ClusterRole', { apiGroup: rbac, kind: 'Group', name: group }),
];

const body = { kind: 'Thing', apiVersion: 'v1', metadata: { name: 'a' } };
const forged = {
  'x-remote-user': 'root',
  'x-remote-group': 'system:masters',
  'x-remote-extra-scopes': 'everything',
  'x-remote-uid': '7',
  'x-forwarded-for': '192.0.2.7',
};

/** The answers by path. */
async function answersTo({ ask }: Client, path: string, ...names: readonly string[]): Promise<Record<string, Answer>> {
  const answers: Record<string, Answer> = {};
  for (const name of names) answers[name] = await ask('GET', `${path}/${name}`);
  return answers;
}

export const proxying: readonly Step[] = [
  asking('get', ({ ask }, path) => ask('GET', `${path}/namespaces/a/things?labelSelector=a%3Db%2Cc&limit=5&x=%2F`)),
  asking('escaped-path', ({ ask }, path) => ask('GET', `${path}/namespaces/a/things/with%20space%25`)),
  asking('writes', async ({ ask }, path) => ({
    post: await ask('POST', `${path}/namespaces/a/things?fieldManager=me`, { body }),
    put: await ask('PUT', `${path}/namespaces/a/things/a`, { body }),
    patch: await ask('PATCH', `${path}/namespaces/a/things/a`, { body: [], contentType: 'application/json-patch+json' }),
    delete: await ask('DELETE', `${path}/namespaces/a/things/a`, { body: { propagationPolicy: 'Foreground' } }),
    head: await ask('HEAD', `${path}/namespaces/a/things/a`),
    options: await ask('OPTIONS', `${path}/namespaces/a/things/a`),
  })),
  asking('forged-identity', ({ ask }, path) => ask('GET', `${path}/things`, { headers: forged })),
  asking('own-headers', ({ ask }, path) =>
    ask('GET', `${path}/things`, {
      headers: { 'x-own': 'mine', 'user-agent': 'tester/1', cookie: 'a=b', accept: 'text/plain;q=0.5' },
    }),
  ),
  asking('impersonated', ({ ask }, path) =>
    ask('GET', `${path}/things`, {
      headers: {
        'impersonate-user': 'jane',
        'impersonate-group': ['developers', 'system:masters'],
      },
    }),
  ),
  asking('answers', (client, path) => answersTo(client, path, 'teapot', 'moved', 'moved-away', 'nothing', 'cut-off')),
  asking('watch', ({ watch }, path) => watch(`${path}/events`, 2)),
  asking('paths', async ({ ask }, path) => ({
    group: await ask('GET', path.replace(/\/v1$/, '')),
    version: await ask('GET', path),
    slash: await ask('GET', `${path}/`),
    otherVersion: await ask('GET', path.replace(/v1$/, 'v2')),
    namespaces: await ask('GET', `${path}/namespaces/${namespace}/things/a/status`),
  })),
  proxied('user', async ({ user, create, name }, path) => {
    await create(
      ...allow(name, `${name}-readers`, { apiGroups: [groupOf(name)], resources: ['things', 'others/scale'], verbs: ['get', 'list'] }),
    );
    const jane = await user('jane', `${name}-readers`, 'others');
    return {
      list: await until(() => jane.ask('GET', `${path}/things`), 403),
      get: await jane.ask('GET', `${path}/namespaces/b/things/c`),
      create: await jane.ask('POST', `${path}/namespaces/b/things`, { body }),
      subresource: await jane.ask('GET', `${path}/namespaces/b/things/c/log`),
      watch: await jane.ask('GET', `${path}/things?watch=true`),
      discovery: await jane.ask('GET', path),
    };
  }),
  proxied('token', async ({ admin, bearer, create, name }, path) => {
    await create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
    await create(...allow(name, `system:serviceaccounts:${namespace}`, { apiGroups: [groupOf(name)], resources: ['*'], verbs: ['*'] }));
    const tokens = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const { body: request } = await expectStatus(201, admin.ask('POST', tokens, { body: { spec: {} } }));
    const { token } = (request as { status: { token: string } }).status;
    return until(() => bearer(token).ask('GET', `${path}/things`), 403);
  }),
  proxied('anonymous', async ({ bearer }, path) => ({
    anonymous: await bearer().ask('GET', `${path}/things`),
    discovery: await bearer().ask('GET', path),
    wrongToken: await bearer('wrong').ask('GET', path),
  })),
];
