import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { everything, lists } from './everything.ts';
import { withoutMetrics } from './fault-parts.ts';
import { answers, codes, diagnosed, seen, snapshotOf, unavailable, unseen } from './snapshots.ts';

/** List requests of the current user and of another one, and adapters without metrics. */

const of = (change: Partial<ApiSnapshot>): unknown[] =>
  diagnosed({ ...everything, ...change }).findings.map(({ code, explains }) => [code, explains.map((each) => each.code)]);

describe('a list request', () => {
  test.each([
    [500, 'discovery/list-failed'],
    [503, 'discovery/list-failed'],
    [429, 'discovery/list-failed'],
    [403, 'auth/refused-by-server'],
    [401, 'auth/proxy-not-trusted'],
  ])('answered with %s is a fault: %s', (status, code) => {
    const diagnosis = diagnosed({ ...everything, list: lists(status, {}, 'why') });
    expect(diagnosis).toMatchObject({ verdict: 'broken', findings: [{ code, severity: 'error' }] });
    expect(diagnosis.findings[0]?.evidence).toEqual([`GET /apis/wardle.example.com/v1alpha1/fischers?limit=1: ${status}`, 'body: why']);
  });

  test.each([200, 400, 404, 405])('answered with %s is a fact only', (status) => {
    const { findings, facts } = diagnosed({ ...everything, list: lists(status) });
    expect(findings).toEqual([]);
    expect(facts).toContain(`GET /apis/wardle.example.com/v1alpha1/fischers?limit=1: ${status}`);
  });

  test('fails because the whole API does not work', () => {
    const gone = { apiService: seen(unavailable('EOF')), aggregated: answers(503, 'service unavailable') };
    expect(of({ ...gone, list: lists(503) })).toEqual([['network/connection-lost', expect.arrayContaining(['discovery/list-failed'])]]);
  });

  test('that is forbidden is not checked', () => {
    expect(diagnosed({ ...everything, list: unseen('no') })).toMatchObject({
      verdict: 'healthy',
      notChecked: [{ what: 'a list request to the API', why: 'no' }],
    });
  });

  test.each([404, 400, 302])('of --probe that is answered with %d is a fault', (status) => {
    expect(of({ probed: true, list: lists(status) })).toEqual([['discovery/probe-failed', []]]);
    expect(of({ list: lists(status) })).toEqual([]);
  });

  test('of --probe that RBAC denies leaves no verdict', () => {
    expect(diagnosed({ ...everything, probed: true, list: unseen('no') })).toMatchObject({ verdict: 'unknown', findings: [] });
    expect(diagnosed({ ...everything, list: unseen('no') })).toMatchObject({ verdict: 'healthy', findings: [] });
  });

  test('of --probe is one finding, also for a user who gets the same answer', () => {
    const found = of({ probed: true, list: lists(404), listAsUser: lists(404, { user: 'jane', allowed: true }) });
    expect(found).toEqual([['discovery/probe-failed', []]]);
  });

  test('of an older recording is not mentioned', () => {
    const words = { state: 'unseen', reason: 'skipped', words: 'recorded by an earlier version' } as const;
    expect(
      diagnosed({ ...everything, list: words, listAsUser: words, repeated: words, endpointAnswers: words, serverLog: words }),
    ).toMatchObject({ findings: [], notChecked: [] });
  });
});

describe('the same request as a user', () => {
  const asJane = (status: number, allowed?: boolean) => lists(status, { user: 'jane', ...(allowed === undefined ? {} : { allowed }) });

  test('is a fact if it works', () => {
    const { facts } = diagnosed(everything);
    expect(facts.at(-1)).toBe('GET /apis/wardle.example.com/v1alpha1/fischers?limit=1 as jane: 200');
  });

  test('is a fact about discovery if nothing can be listed', () => {
    const { facts } = diagnosed({ ...everything, listAsUser: unseen() });
    expect(facts.at(-1)).toBe('GET /apis/wardle.example.com/v1alpha1 as jane: 200');
  });

  test.each<[string, number, boolean | undefined, readonly string[]]>([
    ['RBAC refuses it', 403, false, ['auth/list-not-allowed']],
    ['the server refuses it', 403, true, ['auth/refused-by-server']],
    ['the server fails', 500, true, ['discovery/list-failed']],
    ['the server does not serve it', 404, true, []],
    ['nobody knows who refused it', 403, undefined, []],
  ])('is a fault if %s', (_, status, allowed, found) => {
    expect(codes(diagnosed({ ...everything, listAsUser: asJane(status, allowed) }))).toEqual(found);
  });

  test('is not checked if nobody knows who refused it', () => {
    const { notChecked } = diagnosed({ ...everything, listAsUser: asJane(403) });
    expect(notChecked).toMatchObject([{ what: 'whether RBAC allows user jane' }]);
  });

  test('has one finding if it fails for everyone', () => {
    expect(of({ list: lists(500), listAsUser: asJane(500, true) })).toEqual([['discovery/list-failed', []]]);
  });

  test('has one finding if the server refuses discovery too', () => {
    const asUser = seen({ path: '/apis/wardle.example.com/v1alpha1', status: 403, body: '', user: 'jane', allowed: true });
    expect(of({ asUser, listAsUser: asJane(403, true) })).toEqual([['auth/refused-by-server', []]]);
  });

  test('has one finding if RBAC refuses discovery too', () => {
    const asUser = seen({ path: '/apis/wardle.example.com/v1alpha1', status: 403, body: '', user: 'jane', allowed: false });
    expect(of({ asUser, listAsUser: asJane(403, false) })).toEqual([['auth/user-not-allowed', ['auth/list-not-allowed']]]);
  });

  test('is a fault even if the user may not get the APIService', () => {
    expect(diagnosed({ apiService: unseen(), listAsUser: asJane(403, false) })).toMatchObject({
      verdict: 'broken',
      findings: [{ code: 'auth/list-not-allowed', title: 'User jane is not allowed to list fischers in group wardle.example.com' }],
    });
  });
});

describe('an adapter without metrics', () => {
  const of = (...changes: readonly Partial<ApiSnapshot>[]) =>
    diagnose(snapshotOf(...changes.map((change) => ({ ...everything, ...withoutMetrics, ...change })))).apis;

  test('is a warning, with the errors in its log', () => {
    const [api] = of({});
    expect(api).toMatchObject({ verdict: 'healthy', findings: [{ code: 'discovery/no-metrics', severity: 'warning' }] });
    expect(api?.findings[0]?.evidence.at(-1)).toMatch(/^log: E1128 .*no such host$/);
  });

  test('has one warning for all versions of a group', () => {
    const [first, second] = of({}, { name: 'v1beta2.custom.metrics.k8s.io' });
    expect(first?.findings.map(({ sameAs }) => sameAs)).toEqual([undefined]);
    expect(second?.findings).toMatchObject([{ code: 'discovery/no-metrics', sameAs: first?.name }]);
  });

  test('of another Service has its own warning', () => {
    const view = withoutMetrics.apiService?.state === 'seen' ? withoutMetrics.apiService.value : undefined;
    const other = view && { apiService: seen({ ...view, service: { namespace: 'other', name: 'api', port: 443 } }) };
    const [first, second] = of({}, other ?? {});
    expect(first?.findings.map(({ code, sameAs }) => [code, sameAs])).toEqual([['discovery/no-metrics', undefined]]);
    expect(second?.findings).toContainEqual(expect.objectContaining({ code: 'discovery/no-metrics' }));
    expect(second?.findings.map(({ sameAs }) => sameAs)).not.toContain(first?.name);
  });
});
