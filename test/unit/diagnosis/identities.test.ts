import { describe, expect, test } from 'vitest';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { cannotRead, crashes, everything } from './faults.ts';
import { answers, codes, diagnosed, seen, unseen } from './snapshots.ts';

/** Whom the server believes, what it may ask kube-apiserver, and what is known of that for sure. */

const gone = answers(503, 'service unavailable');
const of = (change: Partial<ApiSnapshot>): unknown[] =>
  diagnosed({ ...everything, ...change }).findings.map(({ code, explains }) => [code, explains.map((each) => each.code)]);
const withFlags = (...flags: readonly string[]): ApiSnapshot['server'] =>
  seen({ pod: 'api-0', serviceAccount: 'api', flags, secrets: [], startedAt: undefined });

describe('who may ask', () => {
  const denied: ApiSnapshot['delegation'] = seen({
    account: 'system:serviceaccount:wardle:api',
    mayReview: false,
    mayReadAuthentication: true,
  });
  const forbidden = 'subjectaccessreviews.authorization.k8s.io is forbidden: User "system:serviceaccount:wardle:api" cannot create';

  const silent: Partial<ApiSnapshot> = { delegation: denied, anonymous: unseen(), forged: unseen() };

  test.each(['anonymous', 'forged'])('is known for sure from what the server says straight to a stranger: %s', (stranger) => {
    const [finding, ...others] = diagnosed({
      ...everything,
      delegation: denied,
      anonymous: answers(401, ''),
      [stranger]: answers(500, forbidden),
    }).findings;
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ code: 'auth/delegator-missing', severity: 'error' });
    expect(finding?.fix).toContain('--serviceaccount=wardle:api');
    expect(finding?.evidence[0]).toContain('directly at an endpoint: 500');
  });

  test('needs no right to see what RBAC allows', () => {
    const [finding] = diagnosed({ anonymous: answers(500, JSON.stringify({ message: forbidden })) }).findings;
    expect(finding).toMatchObject({ code: 'auth/delegator-missing', severity: 'error' });
    expect(finding?.fix).toMatch(/--serviceaccount=wardle:api\b/);
  });

  test('from RBAC alone it is a warning', () => {
    expect(diagnosed({ ...everything, ...silent }).findings).toMatchObject([{ code: 'auth/delegator-missing', severity: 'warning' }]);
  });

  test.each<[string, Partial<ApiSnapshot>]>([
    ['asks with an account of its own', { server: withFlags('--secure-port=8443', '--authorization-kubeconfig=/k') }],
    ['asks who comes with an account of its own', { server: withFlags('--secure-port=8443', '--authentication-kubeconfig=/k') }],
    ['is not made with k8s.io/apiserver', { server: withFlags() }],
    ['is not known', { server: unseen() }],
    ['decides about strangers', { anonymous: answers(403, '') }],
  ])('does not matter to a server that %s', (_, change) => {
    expect(of({ ...silent, ...change })).toEqual([]);
  });

  test('RBAC and what an ordinary user meets are one finding', () => {
    const asUser = seen({ path: '/apis/x', status: 500, body: forbidden, user: 'jane', allowed: true });
    expect(of({ delegation: denied, asUser })).toEqual([['auth/delegator-missing', []]]);
  });

  test('does not matter to a server that asks nobody', () => {
    expect(of({ delegation: denied, anonymous: answers(200, '') })).toEqual([['security/anonymous-access', []]]);
  });
});

describe('a ServiceAccount that may not read how kube-apiserver identifies itself', () => {
  const denied: ApiSnapshot['delegation'] = seen({
    account: 'system:serviceaccount:wardle:api',
    mayReview: true,
    mayReadAuthentication: false,
  });
  const broken: Partial<ApiSnapshot> = { delegation: denied, aggregated: answers(500, 'no') };

  test.each<[string, ApiSnapshot['server']]>([
    ['is not made with k8s.io/apiserver', withFlags()],
    ['is told not to look', withFlags('--secure-port=8443', '--authentication-skip-lookup')],
    ['is told not to look in other words', withFlags('--secure-port=8443', '--authentication-skip-lookup=true')],
    ['is given both CAs', withFlags('--secure-port=8443', '--client-ca-file=/a', '--requestheader-client-ca-file=/b')],
    ['reads with an account of its own', withFlags('--secure-port=8443', '--authentication-kubeconfig=/k')],
  ])('does not matter to a server that %s, whatever else is wrong', (_, server) => {
    expect(of({ ...broken, server })).toEqual([['discovery/request-failed', []]]);
  });

  test.each([withFlags('--secure-port=8443'), withFlags('--secure-port=8443', '--authentication-skip-lookup=false')])(
    'matters to one that looks',
    (server) => {
      expect(codes(diagnosed({ ...everything, ...broken, server }))).toContain('auth/reader-missing');
    },
  );

  test('is why a server of which no flags are known crashes, where that says so', () => {
    expect(of({ delegation: denied, ...crashes(cannotRead), aggregated: gone, server: unseen() })).toMatchObject([
      ['auth/reader-missing', expect.arrayContaining(['endpoints/pod-crashing'])],
    ]);
  });
});

test.each([
  [401, ['security/forged-identity-accepted']],
  [403, ['security/forged-identity-accepted']],
  [503, []],
  [302, []],
])('a forged identity is believed only where a stranger was turned away: %d', (status, expected) => {
  const forged = answers(200, '{}');
  expect(codes(diagnosed({ ...everything, anonymous: answers(status, ''), forged }))).toEqual(expected);
});

describe('a user who is refused', () => {
  const refused = (status: number, allowed: boolean | undefined): ApiSnapshot['asUser'] =>
    seen({ path: '/apis/x', status, body: '', user: 'jane', allowed });

  test('while nobody knows what RBAC allows is no finding', () => {
    expect(diagnosed({ ...everything, asUser: refused(403, undefined) })).toMatchObject({
      findings: [],
      notChecked: [{ what: 'whether RBAC allows user jane', why: expect.stringContaining('GET /apis/x as jane: 403') }],
    });
  });

  test.each([
    [403, true],
    [401, undefined],
  ] as const)('by the server is told the status: %d', (status, allowed) => {
    const { findings, notChecked } = diagnosed({ ...everything, asUser: refused(status, allowed) });
    expect(notChecked).toEqual([]);
    expect(findings).toMatchObject([{ code: 'auth/refused-by-server', title: expect.stringContaining(`(${status})`) }]);
  });
});
