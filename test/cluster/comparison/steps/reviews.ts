import type { KubeObject } from '../../../../src/manifests/types.ts';
import type { Answer, Client } from '../client.ts';
import type { Difference, Step } from '../step.ts';
import { until } from '../until.ts';
import { expectStatus, namespace, type World } from '../world.ts';
import { binding, role, userSubject } from './rights.ts';

/** Access reviews, token reviews and tokens. */

const step = (name: string, run: (world: World) => Promise<unknown>, differs: readonly Difference[] = []): Step => ({ name, run, differs });

/** Creates a review of this kind. */
const review = ({ ask }: Client, group: 'authorization' | 'authentication', kind: string, spec?: object): Promise<Answer> =>
  withoutOwners(
    ask('POST', `/apis/${group}.k8s.io/v1/${kind.toLowerCase()}s`, {
      body: { apiVersion: `${group}.k8s.io/v1`, kind, ...(spec ? { spec } : {}) },
    }),
  );

/**
 * The simulation tracks no owners of fields in what it does not store, and does not say which
 * binding allows a request.
 */
async function withoutOwners(asking: Promise<Answer>): Promise<Answer> {
  const { body, ...answer } = await asking;
  // biome-ignore lint/suspicious/noExplicitAny: JSON.
  const { metadata = {}, ...rest } = body as any;
  const { managedFields: _, ...kept } = metadata;
  if (rest.status?.allowed) delete rest.status.reason;
  return { ...answer, body: { ...rest, metadata: kept } };
}

const token = async ({ admin }: World, account: string, spec: object = {}): Promise<string> => {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const { body } = await expectStatus(201, admin.ask('POST', path, { body: { spec } }));
  return (body as { status: { token: string } }).status.token;
};

const serviceAccount = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });

/** k8s.io/apiserver/pkg/authentication/token/cache. */
const remembered = 'kube-apiserver caches valid tokens for ten seconds; the simulation does not';

export const reviews: readonly Step[] = [
  step('access-reviews', async ({ admin, user, name, create }) => {
    await create(
      role('Role', name, { apiGroups: ['a.example.com'], resources: ['things', 'things/status'], verbs: ['get', 'list'] }),
      binding('RoleBinding', name, 'Role', userSubject(name)),
    );
    const resourceAttributes = { namespace, verb: 'get', group: 'a.example.com', resource: 'things', name: 'x' };
    const subject = (spec: object) => review(admin, 'authorization', 'SubjectAccessReview', { user: name, ...spec });
    const mine = await user(name);
    await until(() => mine.ask('GET', `/apis/a.example.com/v1/namespaces/${namespace}/things/x`), 403);
    const self = (spec: object) => review(mine, 'authorization', 'SelfSubjectAccessReview', spec);
    return {
      allowed: await subject({ resourceAttributes }),
      subresource: await subject({ resourceAttributes: { ...resourceAttributes, subresource: 'log' } }),
      otherNamespace: await subject({ resourceAttributes: { ...resourceAttributes, namespace: 'default' } }),
      path: await subject({ nonResourceAttributes: { path: '/metrics', verb: 'get' } }),
      masters: await subject({ groups: ['system:masters'], nonResourceAttributes: { path: '/metrics', verb: 'get' } }),
      group: await review(admin, 'authorization', 'SubjectAccessReview', {
        groups: ['system:authenticated'],
        nonResourceAttributes: { path: '/api', verb: 'get' },
      }),
      self: await self({ resourceAttributes }),
      selfRefused: await self({ resourceAttributes: { ...resourceAttributes, verb: 'delete' } }),
      refused: await review(mine, 'authorization', 'SubjectAccessReview', { user: 'jane', resourceAttributes }),
    };
  }),
  step('token', async (world) => {
    const { create, name, admin, bearer } = world;
    await create(serviceAccount(name));
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    const request = { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', spec: { expirationSeconds: 3600 } };
    const issued = await withoutOwners(admin.ask('POST', `${path}/${name}/token`, { body: request }));
    const [, claims = ''] = (issued.body as { status: { token: string } }).status.token.split('.');
    const client = bearer(await token(world, name));
    return {
      issued,
      claims: claimsOf(claims),
      forOthers: await withoutOwners(admin.ask('POST', `${path}/${name}/token`, { body: { spec: { audiences: ['others'] } } })),
      tooShort: await admin.ask('POST', `${path}/${name}/token`, { body: { spec: { expirationSeconds: 1 } } }),
      missing: await admin.ask('POST', `${path}/missing/token`, { body: { spec: {} } }),
      self: await review(client, 'authentication', 'SelfSubjectReview'),
      refused: await client.ask('GET', `/api/v1/namespaces/${namespace}/secrets`),
    };
  }),
  step(
    'token-reviews',
    async (world) => {
      const { create, name, admin } = world;
      await create(serviceAccount(name));
      const [good, foreign] = [await token(world, name), await token(world, name, { audiences: ['others'] })];
      const reviewed = (spec: object) => review(admin, 'authentication', 'TokenReview', spec);
      const answers = {
        good: await reviewed({ token: good }),
        otherAudience: await reviewed({ token: good, audiences: ['others'] }),
        foreign: await reviewed({ token: foreign }),
        foreignAsked: await reviewed({ token: foreign, audiences: ['others', 'more'] }),
        wrong: await reviewed({ token: 'wrong' }),
        none: await reviewed({}),
      };
      await admin.ask('DELETE', `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`);
      const { authenticated = false, error } = (
        (await reviewed({ token: good })).body as { status: { authenticated?: boolean; error?: string } }
      ).status;
      return { ...answers, deleted: { authenticated, error } };
    },
    [
      { reason: remembered, at: 'deleted.authenticated', real: true, simulated: false },
      {
        reason: remembered,
        at: 'deleted.error',
        real: undefined,
        simulated: '[invalid bearer token, serviceaccounts "token-reviews" not found]',
      },
    ],
  ),
  step('self-review', async ({ user, admin, bearer }) => ({
    admin: await review(admin, 'authentication', 'SelfSubjectReview'),
    user: await review(await user('jane', 'developers'), 'authentication', 'SelfSubjectReview'),
    anonymous: await review(bearer(), 'authentication', 'SelfSubjectReview'),
  })),
];

/** The claims of a token, without times and random parts. */
function claimsOf(part: string): object {
  const claims = JSON.parse(Buffer.from(part, 'base64url').toString());
  return { ...claims, lasts: claims.exp - claims.iat, exp: typeof claims.exp, iat: typeof claims.iat, nbf: typeof claims.nbf };
}
