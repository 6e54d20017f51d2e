import { afterAll, beforeAll, expect, test } from 'vitest';
import type { UserInfo } from '../../../../src/sandbox/shared/identity.ts';
import { createTokenAuthenticator } from '../../../../src/sandbox/simulated/authentication.ts';
import { createAuthorizer } from '../../../../src/sandbox/simulated/authorization.ts';
import { bootstrap } from '../../../../src/sandbox/simulated/bootstrap.ts';
import { createReviews } from '../../../../src/sandbox/simulated/reviews.ts';
import { serviceAccountToken } from '../../../../src/sandbox/simulated/tokens.ts';
import type { Obj } from '../../../../src/sandbox/simulated/types.ts';
import { admin, callOf, failureOf, jane, makeSimulation, put, toResource } from './identities.ts';

let world: Awaited<ReturnType<typeof makeSimulation>>;
let review: (name: string, body: Obj, user?: UserInfo) => Obj;
beforeAll(async () => {
  world = await makeSimulation();
  const { simulation } = world;
  bootstrap(simulation);
  put(simulation.store, 'ServiceAccount', 'default/default');
  const reviews = createReviews(simulation, createAuthorizer(simulation.store), createTokenAuthenticator(simulation));
  review = (name, body, user = admin) => {
    const group = /token|selfsubjectreviews/.test(name) ? 'authentication.k8s.io' : 'authorization.k8s.io';
    return reviews(toResource('create', name, { group }))?.answer(callOf(user), body);
  };
});
afterAll(() => world.end());

const readVersion = { nonResourceAttributes: { verb: 'get', path: '/version' } };
const getPods = (namespace?: string) => ({ resourceAttributes: { verb: 'get', resource: 'pods', ...(namespace && { namespace }) } });

test('a review is answered with its spec and status', () => {
  const spec = { ...getPods('x'), user: 'jane' };
  expect(review('subjectaccessreviews', { spec }, admin)).toEqual({
    kind: 'SubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: {},
    spec,
    status: { allowed: false },
  });
});

test.each(['localsubjectaccessreviews', 'selfsubjectrulesreviews'])('%s are not simulated', (name) => {
  expect(failureOf(() => review(name, { spec: {} }))).toMatchObject({ code: 501 });
});

test.each([
  ['selfsubjectaccessreviews', admin, getPods('x'), { allowed: true }],
  ['selfsubjectaccessreviews', jane, getPods('x'), { allowed: false }],
  ['selfsubjectaccessreviews', jane, readVersion, { allowed: true }],
  ['subjectaccessreviews', admin, { user: 'jane', groups: ['system:masters'], ...getPods() }, { allowed: true }],
  ['subjectaccessreviews', admin, { user: 'jane', groups: ['system:authenticated'], ...readVersion }, { allowed: true }],
  ['subjectaccessreviews', admin, { user: 'jane', ...readVersion }, { allowed: false }],
])('%s for %o: %o', (name, user, spec, status) => {
  expect(review(name, { spec }, user)).toMatchObject({ spec, status });
  expect(review(name, { spec }, user).status).toEqual(status);
});

test('TokenReview without a token', () => {
  const message = 'token is required for TokenReview in authentication';
  expect(failureOf(() => review('tokenreviews', { spec: {} }))).toMatchObject({ code: 400, message });
});

test('SelfSubjectReview returns the user', () => {
  const extra = { 'authentication.kubernetes.io/credential-id': ['X509SHA256=d1'] };
  expect(review('selfsubjectreviews', {}, { ...jane, extra })).toEqual({
    kind: 'SelfSubjectReview',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { creationTimestamp: expect.stringMatching(/^\d{4}-.*:\d\dZ$/) },
    status: { userInfo: { username: 'jane', groups: jane.groups, extra } },
  });
  expect(review('selfsubjectreviews', {}, { name: 'bob', groups: ['g'], extra: {} }).status).toEqual({
    userInfo: { username: 'bob', groups: ['g'] },
  });
});

test('TokenReview returns the user of a token', () => {
  const { token } = serviceAccountToken(world.simulation, callOf(admin, { namespace: 'default', name: 'default' }), {}).status;
  const { status } = review('tokenreviews', { spec: { token, audiences: ['foo', 'https://kubernetes.default.svc'] } });
  expect(status).toEqual({
    authenticated: true,
    user: {
      username: 'system:serviceaccount:default:default',
      uid: expect.any(String),
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=/)] },
    },
    audiences: ['https://kubernetes.default.svc'],
  });
  expect(review('tokenreviews', { spec: { token } }).status).toMatchObject({ authenticated: true });
  expect(review('tokenreviews', { spec: { token, audiences: ['foo'] } }).status).toEqual({
    user: {},
    error: '[invalid bearer token, token audiences ["https://kubernetes.default.svc"] is invalid for the target audiences ["foo"]]',
  });
  expect(review('tokenreviews', { spec: { token: 'x' } }).status).toEqual({ user: {}, error: 'invalid bearer token' });
});
