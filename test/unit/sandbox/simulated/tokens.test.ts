import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTokenAuthenticator } from '../../../../src/sandbox/simulated/authentication.ts';
import { kindOf } from '../../../../src/sandbox/simulated/kinds.ts';
import { serviceAccountToken } from '../../../../src/sandbox/simulated/tokens.ts';
import type { Kind, Obj } from '../../../../src/sandbox/simulated/types.ts';
import { admin, callOf, failureOf, makeSimulation, put } from './identities.ts';

const issuer = 'https://kubernetes.default.svc';
let world: Awaited<ReturnType<typeof makeSimulation>>;
let account: Obj;
beforeAll(async () => {
  world = await makeSimulation();
  account = put(world.simulation.store, 'ServiceAccount', 'default/robot');
  put(world.simulation.store, 'ServiceAccount', 'default/other');
  put(world.simulation.store, 'Node', 'n1', { metadata: { uid: 'node-uid' } });
  put(world.simulation.store, 'Pod', 'default/pod', {
    metadata: { uid: 'pod-uid' },
    spec: { serviceAccountName: 'robot', nodeName: 'n1' },
  });
});
afterAll(() => world.end());
beforeEach(() => {
  world.clock.now = new Date('2026-11-23T04:37:18Z');
});

const request = (body: Obj = {}, name = 'robot'): Obj =>
  serviceAccountToken(world.simulation, callOf(admin, { namespace: 'default', name }), body);
const tokenFor = (spec: Obj = {}): string => request({ spec }).status.token;
const answer = (token: string, audiences = [issuer]) => createTokenAuthenticator(world.simulation)(token, audiences);
const remove = (kind: string, name: string) => world.simulation.store.delete(kindOf('', kind) as Kind, 'default', name);
const boundTo = (kind: string, name: string, more: Obj = {}) => ({ boundObjectRef: { kind, apiVersion: 'v1', name, ...more } });

test('a TokenRequest is answered with defaults filled in', () => {
  expect(request()).toEqual({
    metadata: {
      name: 'robot',
      namespace: 'default',
      uid: account.metadata.uid,
      creationTimestamp: '2026-11-23T04:37:18Z',
    },
    spec: { audiences: [issuer], expirationSeconds: 3600, boundObjectRef: null },
    status: { token: expect.any(String), expirationTimestamp: '2026-11-23T05:37:18Z' },
  });
});

test('the token is a JSON web token with the claims of Kubernetes', () => {
  const [header, claims] = tokenFor(boundTo('Pod', 'pod'))
    .split('.')
    .map((part) => Buffer.from(part, 'base64url').toString());
  expect(JSON.parse(header ?? '')).toEqual({ alg: 'ES256' });
  const seconds = Date.parse('2026-11-23T04:37:18Z') / 1000;
  expect(JSON.parse(claims ?? '')).toEqual({
    aud: [issuer],
    exp: seconds + 3600,
    iat: seconds,
    iss: issuer,
    jti: expect.any(String),
    'kubernetes.io': {
      namespace: 'default',
      pod: { name: 'pod', uid: 'pod-uid' },
      serviceaccount: { name: 'robot', uid: account.metadata.uid },
    },
    nbf: seconds,
    sub: 'system:serviceaccount:default:robot',
  });
});

// Messages recorded from kube-apiserver 1.37.2.
describe('requests that are refused', () => {
  test.each([
    [
      { spec: { expirationSeconds: 599 } },
      422,
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
    ],
    [{ spec: boundTo('Pod', 'nope') }, 404, 'pods "nope" not found'],
    [{ spec: boundTo('Pod', 'pod', { uid: 'u' }) }, 404, 'pods "pod" not found'],
    [{ spec: boundTo('Secret', 'x') }, 501, expect.stringContaining('are not simulated')],
  ])('%o', (body, code, message) => {
    expect(failureOf(() => request(body))).toMatchObject({ code, message });
  });

  test('for a missing ServiceAccount, or another one than the pod has', () => {
    expect(failureOf(() => request({}, 'nope'))).toMatchObject({ code: 404, message: 'serviceaccounts "nope" not found' });
    const message = 'cannot bind token for serviceaccount "other" to pod running with different serviceaccount name.';
    expect(failureOf(() => request({ spec: boundTo('Pod', 'pod') }, 'other'))).toMatchObject({ code: 400, message });
  });

  test('have the details of kube-apiserver', () => {
    const cause = {
      reason: 'FieldValueInvalid',
      message: 'Invalid value: 599: may not specify a duration less than 10 minutes',
      field: 'spec.expirationSeconds',
    };
    expect(failureOf(() => request({ spec: { expirationSeconds: 599 } })).details).toEqual({
      group: 'authentication.k8s.io',
      kind: 'TokenRequest',
      causes: [cause],
    });
  });
});

describe('a token', () => {
  const refused = (...reasons: string[]) => ({
    error: reasons.length === 0 ? 'invalid bearer token' : `[invalid bearer token, ${reasons.join(', ')}]`,
  });

  test('identifies its ServiceAccount and the pod that it is bound to', () => {
    expect(answer(tokenFor(boundTo('Pod', 'pod')))).toEqual({
      user: {
        name: 'system:serviceaccount:default:robot',
        uid: account.metadata.uid,
        groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
        extra: {
          'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=/)],
          'authentication.kubernetes.io/pod-name': ['pod'],
          'authentication.kubernetes.io/pod-uid': ['pod-uid'],
        },
      },
      audiences: [issuer],
    });
  });

  test('is valid for its audiences only', () => {
    const token = tokenFor({ audiences: ['a', 'b'] });
    expect(answer(token, ['b', 'c'])).toMatchObject({ audiences: ['b'] });
    expect(answer(token)).toEqual(
      refused('token audiences ["a" "b"] is invalid for the target audiences ["https://kubernetes.default.svc"]'),
    );
  });

  test('expires, with a minute of tolerance', () => {
    const token = tokenFor({ expirationSeconds: 600 });
    world.clock.now = new Date(world.clock.now.getTime() + 659_000);
    expect(answer(token)).toHaveProperty('user');
    world.clock.now = new Date(world.clock.now.getTime() + 2_000);
    expect(answer(token)).toEqual(refused('service account token has expired'));
  });

  test('that was changed, or is not a token, is refused', () => {
    const [header = '', claims = '', signature = ''] = tokenFor().split('.');
    const other = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, 'base64url').toString()), sub: 'system:admin' })).toString(
      'base64url',
    );
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    const changed = [
      `${header}.${other}.${signature}`,
      `${header}.${claims}.${signature}x`,
      `${header}.${claims}.`,
      `${unsigned}.${claims}.`,
    ];
    for (const token of changed) expect(answer(token)).toEqual(refused());
    for (const none of ['x', 'a.b.c', `${header}.${claims}.${signature}.x`, `${header}.bnVsbA.${signature}`])
      expect(answer(none)).toEqual(refused());
  });

  test('is invalid without the pod that it is bound to', () => {
    const bound = tokenFor(boundTo('Pod', 'pod'));
    expect(answer(bound)).toHaveProperty('user');
    const pod = remove('Pod', 'pod');
    expect(answer(bound)).toEqual(refused('service account token has been invalidated'));
    put(world.simulation.store, 'Pod', 'default/pod', { ...pod, metadata: { uid: 'new' } });
    expect(answer(bound)).toEqual(refused('service account token has been invalidated'));
  });

  test('is invalid without its ServiceAccount', () => {
    const token = request({}, 'other').status.token;
    const { uid } = remove('ServiceAccount', 'other').metadata;
    expect(answer(token)).toEqual(refused('serviceaccounts "other" not found'));
    put(world.simulation.store, 'ServiceAccount', 'default/other', { metadata: { uid: 'new' } });
    expect(answer(token)).toEqual(refused(`service account UID (new) does not match claim (${uid})`));
  });
});
