import type { KubeObject } from '../../../../src/manifests/types.ts';
import { type Answer, type Client, inShort } from '../client.ts';
import type { Difference, Step } from '../step.ts';
import { until } from '../until.ts';
import { namespace, type World } from '../world.ts';
import { binding, rbac, role, userSubject } from './rights.ts';

/** Authentication and RBAC. */

const step = (name: string, run: (world: World) => Promise<unknown>, differs: readonly Difference[] = []): Step => ({ name, run, differs });

/** The answers to requests, each a `<path>` or `<method> <path>`. */
async function answersTo({ ask }: Client, ...requests: readonly string[]): Promise<Record<string, Answer>> {
  const answers: Record<string, Answer> = {};
  for (const request of requests) {
    const [path = '', method = 'GET'] = request.split(' ').toReversed();
    answers[request] = await ask(method as 'GET', path);
  }
  return answers;
}

const mayGrant = 'the simulation does not prevent privilege escalation by roles';
const refusedGrant = (resource: string, rules: string): string =>
  `${resource}.rbac.authorization.k8s.io "escalation-more" is forbidden: user "escalation" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n${rules}`;

/** One path of each kind. */
const refusedPaths = [
  `/api/v1/namespaces/${namespace}/configmaps`,
  `/api/v1/namespaces/${namespace}/configmaps/x`,
  `/api/v1/namespaces/${namespace}/configmaps?watch=true`,
  `DELETE /api/v1/namespaces/${namespace}/configmaps`,
  `DELETE /api/v1/namespaces/${namespace}/configmaps/x`,
  `/api/v1/namespaces/${namespace}/pods/x/log`,
  '/api/v1/configmaps',
  '/api/v1/namespaces',
  `/api/v1/namespaces/${namespace}`,
  '/apis/apiregistration.k8s.io/v1/apiservices',
  '/apis/apiregistration.k8s.io/v1/apiservices/v1.apps',
  '/apis/nothing.example.com/v1/things/x',
  '/metrics',
  '/healthz',
];

export const identity: readonly Step[] = [
  step('unauthenticated', async ({ bearer }) => ({
    wrongToken: await bearer('wrong').ask('GET', '/api'),
    wrongJwt: await bearer('eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJtZSJ9.c2lnbg').ask('GET', '/livez'),
    basic: await bearer().ask('GET', '/livez', { headers: { authorization: 'Basic YTpi' } }),
    basicRefused: await bearer().ask('GET', '/api/v1/namespaces', { headers: { authorization: 'Basic YTpi' } }),
  })),
  step('anonymous', ({ bearer }) => answersTo(bearer(), ...refusedPaths)),
  step('user-without-rights', async ({ user }) => answersTo(await user('jane', 'developers'), ...refusedPaths)),
  step('front-proxy-headers', async ({ user }) => {
    const jane = await user('jane');
    return jane.ask('GET', '/api/v1/namespaces', { headers: { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' } });
  }),
  step('user-with-rights', async (world) => {
    const { name, user, create, admin } = world;
    await create(
      role(
        'Role',
        name,
        { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create'], resourceNames: [`${name}-a`] },
        { apiGroups: [''], resources: ['pods/log'], verbs: ['*'] },
      ),
      binding('RoleBinding', name, 'Role', userSubject(name)),
    );
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    await admin.ask('POST', path, { body: { metadata: { name: `${name}-a` } } });
    const mine = await user(name);
    await until(() => mine.ask('GET', `${path}/${name}-a`), 403);
    return answersTo(
      mine,
      `${path}/${name}-a`,
      `${path}/${name}-b`,
      path,
      `POST ${path}`,
      `/api/v1/namespaces/${namespace}/pods/x/log`,
      `DELETE ${path}/${name}-a`,
      '/api/v1/namespaces/default/configmaps/x',
    );
  }),
  step('cluster-role-in-namespace', async ({ name, user, create }) => {
    await create(
      role('ClusterRole', name, { apiGroups: ['', 'apps'], resources: ['*'], verbs: ['list'] }),
      binding('RoleBinding', name, 'ClusterRole', { apiGroup: rbac, kind: 'Group', name: `${name}-group` }),
    );
    const mine = await user('jane', `${name}-group`);
    const path = `/api/v1/namespaces/${namespace}/configmaps?labelSelector=none`;
    await until(() => mine.ask('GET', path), 403);
    return answersTo(
      mine,
      path,
      `/apis/apps/v1/namespaces/${namespace}/deployments?labelSelector=none`,
      '/api/v1/configmaps',
      `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
    );
  }),
  step('non-resource-rights', async ({ name, user, create }) => {
    await create(
      role('ClusterRole', name, { nonResourceURLs: ['/own', '/own/*'], verbs: ['get'] }),
      binding('ClusterRoleBinding', name, 'ClusterRole', userSubject(name)),
    );
    const mine = await user(name);
    await until(() => mine.ask('GET', '/own'), 403);
    return answersTo(mine, '/own', '/own/thing', 'POST /own/thing', '/other');
  }),
  step('aggregated-role', async ({ name, create, user }) => {
    const label = { [`example.com/${name}`]: 'true' };
    const part = role('ClusterRole', `${name}-part`, { nonResourceURLs: ['/own'], verbs: ['get'] });
    const whole: KubeObject = {
      ...role('ClusterRole', name),
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: label }] },
    };
    await create({ ...part, metadata: { ...part.metadata, labels: label } }, whole);
    await create(binding('ClusterRoleBinding', name, 'ClusterRole', userSubject(name)));
    const mine = await user(name);
    return until(() => mine.ask('GET', '/own'), 403);
  }),
  step(
    'escalation',
    async ({ name, user, create }) => {
      await create(
        role('Role', name, { apiGroups: [rbac], resources: ['roles', 'rolebindings'], verbs: ['create'] }),
        binding('RoleBinding', name, 'Role', userSubject(name)),
      );
      const mine = await user(name);
      const path = `/apis/${rbac}/v1/namespaces/${namespace}`;
      await until(() => mine.ask('POST', `${path}/roles?dryRun=All`, { body: role('Role', `${name}-none`) }), 403);
      const more = role('Role', `${name}-more`, { apiGroups: [''], resources: ['secrets'], verbs: ['get'] });
      const admins = binding('RoleBinding', `${name}-more`, 'ClusterRole', userSubject(name), 'cluster-admin');
      return {
        role: inShort(await mine.ask('POST', `${path}/roles`, { body: more })),
        binding: inShort(await mine.ask('POST', `${path}/rolebindings`, { body: admins })),
      };
    },
    [
      {
        reason: mayGrant,
        at: 'role',
        real: { status: 403, message: refusedGrant('roles', '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}') },
        simulated: { status: 201 },
      },
      {
        reason: mayGrant,
        at: 'binding',
        real: {
          status: 403,
          message: refusedGrant('rolebindings', '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}'),
        },
        simulated: { status: 201 },
      },
    ],
  ),
  step('wrong-roles', async ({ name, admin }) => {
    const path = `/apis/${rbac}/v1`;
    const body = { ...binding('ClusterRoleBinding', name, 'ClusterRole', userSubject(name)), roleRef: { kind: 'Role', name } };
    const { status } = await admin.ask('POST', `${path}/clusterrolebindings`, { body });
    return { status };
  }),
  step('impersonation', async ({ admin, user, name, create }) => {
    await create(
      role('ClusterRole', name, { apiGroups: [''], resources: ['users'], verbs: ['impersonate'], resourceNames: ['jane'] }),
      binding('ClusterRoleBinding', name, 'ClusterRole', userSubject(name)),
    );
    const as = (client: Client, headers: Readonly<Record<string, string>>) =>
      client.ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
        body: { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' },
        headers,
      });
    const mine = await user(name);
    await until(() => as(mine, { 'impersonate-user': 'jane' }), 403);
    return {
      user: await as(admin, { 'impersonate-user': 'jane' }),
      groups: await as(admin, { 'impersonate-user': 'jane', 'impersonate-group': 'developers' }),
      serviceAccount: await as(admin, { 'impersonate-user': `system:serviceaccount:${namespace}:default` }),
      anonymous: await as(admin, { 'impersonate-user': 'system:anonymous' }),
      allowed: await as(mine, { 'impersonate-user': 'jane' }),
      otherUser: await as(mine, { 'impersonate-user': 'joe' }),
      group: await as(mine, { 'impersonate-user': 'jane', 'impersonate-group': 'developers' }),
      account: await as(mine, { 'impersonate-user': `system:serviceaccount:${namespace}:default` }),
      refused: await admin.ask('GET', '/api/v1/namespaces', { headers: { 'impersonate-user': 'jane' } }),
    };
  }),
];
