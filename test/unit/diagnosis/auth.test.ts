import { describe, expect, test } from 'vitest';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { everything } from './everything.ts';
import { cannotRead, crashes } from './fault-parts.ts';
import { answers, codes, diagnosed, gone, seen, unseen } from './snapshots.ts';

/** Authentication and authorization between the server and kube-apiserver. */

const of = (change: Partial<ApiSnapshot>): unknown[] =>
  diagnosed({ ...everything, ...change }).findings.map(({ code, explains }) => [code, explains.map((each) => each.code)]);
const withFlags = (...flags: readonly string[]): ApiSnapshot['server'] =>
  seen({ pod: 'api-0', serviceAccount: 'api', flags, secrets: [], startedAt: undefined });

describe('a missing binding to system:auth-delegator', () => {
  const view = { account: 'system:serviceaccount:wardle:api', mayReview: false, mayReadAuthentication: true };
  const denied: ApiSnapshot['delegation'] = seen(view);
  const forbidden = 'subjectaccessreviews.authorization.k8s.io is forbidden: User "system:serviceaccount:wardle:api" cannot create';

  const unknown: Partial<ApiSnapshot> = { delegation: denied, anonymous: unseen(), forged: unseen() };

  test.each(['anonymous', 'forged'])('is proven by the error of a direct request: %s', (request) => {
    const [finding, ...others] = diagnosed({
      ...everything,
      delegation: denied,
      anonymous: answers(401, ''),
      [request]: answers(500, forbidden),
    }).findings;
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ code: 'auth/delegator-missing', severity: 'error' });
    expect(finding?.fix).toContain('--serviceaccount=wardle:api');
    expect(finding?.evidence[0]).toContain('directly at an endpoint: 500');
  });

  test.each([
    [{}, 'TokenReviews and SubjectAccessReviews'],
    [{ deniedReviews: ['TokenReviews' as const] }, 'TokenReviews'],
  ])('names the reviews that are denied: %j', (only, words) => {
    const [finding] = diagnosed({ ...everything, ...unknown, delegation: seen({ ...view, ...only }) }).findings;
    expect(finding?.title).toBe(`The extension API server is not allowed to create ${words}`);
    expect(finding?.evidence[0]).toBe(`system:serviceaccount:wardle:api is not allowed to create ${words.toLowerCase()}`);
  });

  test('is found without permission for SubjectAccessReviews', () => {
    const [finding] = diagnosed({ anonymous: answers(500, JSON.stringify({ message: forbidden })) }).findings;
    expect(finding).toMatchObject({ code: 'auth/delegator-missing', severity: 'error' });
    expect(finding?.fix).toMatch(/--serviceaccount=wardle:api\b/);
  });

  test('is a warning if only RBAC proves it', () => {
    expect(diagnosed({ ...everything, ...unknown }).findings).toMatchObject([{ code: 'auth/delegator-missing', severity: 'warning' }]);
  });

  test.each<[string, Partial<ApiSnapshot>]>([
    ['uses a separate kubeconfig for authorization', { server: withFlags('--secure-port=8443', '--authorization-kubeconfig=/k') }],
    ['uses a separate kubeconfig for authentication', { server: withFlags('--secure-port=8443', '--authentication-kubeconfig=/k') }],
    ['is not built with k8s.io/apiserver', { server: withFlags() }],
    ['is unknown', { server: unseen() }],
    ['answers 403 to anonymous requests', { anonymous: answers(403, '') }],
  ])('does not matter to a server that %s', (_, change) => {
    expect(of({ ...unknown, ...change })).toEqual([]);
  });

  test('is one finding if RBAC and the error of a user prove it', () => {
    const asUser = seen({ path: '/apis/x', status: 500, body: forbidden, user: 'jane', allowed: true });
    expect(of({ delegation: denied, asUser })).toEqual([['auth/delegator-missing', []]]);
  });

  test('does not matter to a server that accepts anonymous requests', () => {
    expect(of({ delegation: denied, anonymous: answers(200, '') })).toEqual([['security/anonymous-access', []]]);
  });
});

describe('a missing binding to extension-apiserver-authentication-reader', () => {
  const denied: ApiSnapshot['delegation'] = seen({
    account: 'system:serviceaccount:wardle:api',
    mayReview: true,
    mayReadAuthentication: false,
  });
  const broken: Partial<ApiSnapshot> = { delegation: denied, aggregated: answers(500, 'no') };

  test.each<[string, ApiSnapshot['server']]>([
    ['is not built with k8s.io/apiserver', withFlags()],
    ['skips the lookup', withFlags('--secure-port=8443', '--authentication-skip-lookup')],
    ['skips the lookup (=true)', withFlags('--secure-port=8443', '--authentication-skip-lookup=true')],
    ['has flags for both CAs', withFlags('--secure-port=8443', '--client-ca-file=/a', '--requestheader-client-ca-file=/b')],
    ['uses a separate kubeconfig', withFlags('--secure-port=8443', '--authentication-kubeconfig=/k')],
  ])('does not matter to a server that %s', (_, server) => {
    expect(of({ ...broken, server })).toEqual([['discovery/request-failed', []]]);
  });

  test.each([withFlags('--secure-port=8443'), withFlags('--secure-port=8443', '--authentication-skip-lookup=false')])(
    'matters to a server that reads the ConfigMap',
    (server) => {
      expect(codes(diagnosed({ ...everything, ...broken, server }))).toContain('auth/reader-missing');
    },
  );

  test('explains a crash if the log reports it, even with unknown flags', () => {
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
])('an accepted forged identity is a finding only if anonymous requests are refused: %d', (status, expected) => {
  const forged = answers(200, '{}');
  expect(codes(diagnosed({ ...everything, anonymous: answers(status, ''), forged }))).toEqual(expected);
});

describe('a refused user', () => {
  const refused = (status: number, allowed: boolean | undefined): ApiSnapshot['asUser'] =>
    seen({ path: '/apis/x', status, body: '', user: 'jane', allowed });

  test('is not a finding without a SubjectAccessReview', () => {
    expect(diagnosed({ ...everything, asUser: refused(403, undefined) })).toMatchObject({
      findings: [],
      notChecked: [{ what: 'whether RBAC allows user jane', why: expect.stringContaining('GET /apis/x as jane: 403') }],
    });
  });

  test.each([
    [403, true],
    [401, undefined],
  ] as const)('by the server is a finding with the status: %d', (status, allowed) => {
    const { findings, notChecked } = diagnosed({ ...everything, asUser: refused(status, allowed) });
    expect(notChecked).toEqual([]);
    expect(findings).toMatchObject([{ code: 'auth/refused-by-server', title: expect.stringContaining(`(${status})`) }]);
  });
});
