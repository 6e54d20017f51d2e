import { describe, expect, test } from 'vitest';
import type { ApiSnapshot, HttpView, Observed } from '../../../src/snapshot/types.ts';
import { endpointAnswers, everything, repeated } from './everything.ts';
import { answers, codes, diagnosed, seen } from './snapshots.ts';

/** Endpoints that answer the same request differently. */

type Statuses = readonly (number | readonly [api: number, ready: number])[];

const differing = (change: Partial<ApiSnapshot>) => diagnosed({ ...everything, ...change }).findings;

describe('direct answers', () => {
  test.each<[string, Statuses]>([
    ['500', [403, 500, 403]],
    ['404', [404, 401, 401]],
    ['302', [200, 200, 302]],
  ])('of one endpoint with %s are an error that names the pod', (status, statuses) => {
    const [finding, ...others] = differing({ endpointAnswers: endpointAnswers(...statuses) });
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ code: 'endpoints/answers-differ', severity: 'error' });
    const odd = statuses.findIndex((each) => String(each) === status);
    expect(finding?.title).toMatch(new RegExp(`: ${status} from 10\\.1\\.0\\.${odd + 1}:8443 \\(pod api-${odd}\\), \\d+ from the others$`));
    expect(finding?.evidence.join('\n').match(/pod api-/g)).toHaveLength(1);
  });

  test('of two bad endpoints name both', () => {
    const [finding] = differing({ endpointAnswers: endpointAnswers(500, 403, 404) });
    expect(finding?.title).toContain(': 500, 404 from 10.1.0.1:8443 (pod api-0), 10.1.0.3:8443 (pod api-2), 403 from the others');
  });

  test('that refuse differently are a warning', () => {
    expect(differing({ endpointAnswers: endpointAnswers(403, 401, 403) })).toMatchObject([
      {
        code: 'endpoints/answers-differ',
        severity: 'warning',
        title: expect.stringContaining(': 401 from 10.1.0.2:8443 (pod api-1), 403'),
      },
    ]);
  });

  test('that stay out are an error', () => {
    const silent: Observed<HttpView> = { state: 'unseen', reason: 'unreachable', words: 'no response within 5 s' };
    const all = endpointAnswers(403, 403);
    const view = all.state === 'seen' ? seen([...all.value, { at: '10.1.0.3:8443', api: silent, ready: silent }]) : all;
    expect(differing({ endpointAnswers: view })).toMatchObject([
      { severity: 'error', title: expect.stringContaining(': no response within 5 s from 10.1.0.3:8443, 403 from the others') },
    ]);
  });

  test('to GET /readyz that differ are a warning', () => {
    expect(differing({ endpointAnswers: endpointAnswers([403, 200], [403, 500]) })).toMatchObject([
      { severity: 'warning', title: expect.stringContaining(': 500 from 10.1.0.2:8443 (pod api-1), 200 from the others') },
    ]);
  });

  test.each<[string, Statuses]>([
    ['are the same refusal', [401, 401]],
    ['are from servers without /readyz', [[403, 404] as const, [403, 200] as const]],
    ['are all errors, which have their own finding', [500, 404]],
  ])('that %s are not a fault', (_, statuses) => {
    expect(differing({ endpointAnswers: endpointAnswers(...statuses) })).toEqual([]);
  });

  test('that the network interrupts are not a fault', () => {
    const all = endpointAnswers(403, 403);
    const lost: Observed<HttpView> = { state: 'unseen', reason: 'unreachable', words: 'socket hang up' };
    const view = all.state === 'seen' ? seen([...all.value, { at: '10.1.0.3:8443', api: lost, ready: lost }]) : all;
    expect(differing({ endpointAnswers: view })).toEqual([]);
  });
});

describe('repeated requests', () => {
  test.each([401, 403, 404, 500])('that are sometimes answered with %s are an error', (status) => {
    const [finding] = differing({ repeated: repeated([8, 200], [4, status, 'why']) });
    expect(finding).toMatchObject({ code: 'endpoints/answers-differ', severity: 'error' });
    expect(finding?.title).toContain(`: ${status} from some endpoints, 200 from the others`);
    expect(finding?.evidence).toEqual([
      `GET /apis/wardle.example.com/v1alpha1 through kube-apiserver: 200 (8 times), ${status} (4 times)`,
      'body: why',
    ]);
  });

  test.each([
    [503, 'error trying to reach service: dial tcp 10.1.0.1:8443: connect: connection refused'],
    [503, 'error dialing backend: tls: failed to verify certificate: x509: certificate signed by unknown authority'],
    [503, 'service unavailable'],
    [429, 'Too many requests, please try again later.'],
  ])('that kube-apiserver itself answers with %s (%s) are not a fault of an endpoint', (status, body) => {
    expect(differing({ repeated: repeated([8, 200], [4, status, body]) })).toEqual([]);
  });

  test('explain the answer that the current user got', () => {
    const findings = differing({ aggregated: answers(401, 'Unauthorized'), repeated: repeated([8, 200], [4, 401]) });
    expect(findings.map(({ code, explains }) => [code, explains.map((each) => each.code)])).toEqual([
      ['endpoints/answers-differ', ['auth/proxy-not-trusted']],
    ]);
  });

  test('that are answered badly only once are a warning', () => {
    expect(differing({ repeated: repeated([11, 200], [1, 500]) })).toMatchObject([
      {
        code: 'endpoints/answers-differ',
        severity: 'warning',
        title: expect.stringContaining(': 500 from some endpoints, 200 from the others'),
      },
    ]);
  });

  test('that fail as the first request does are an error', () => {
    const findings = differing({ aggregated: answers(500, 'why'), repeated: repeated([11, 200], [1, 500]) });
    expect(findings).toMatchObject([
      { code: 'endpoints/answers-differ', severity: 'error', explains: [{ code: 'discovery/request-failed' }] },
    ]);
  });

  test('are a fact that does not claim that every endpoint answered', () => {
    const factsWith = (value: ApiSnapshot['repeated']) => diagnosed({ ...everything, repeated: value }).facts;
    expect(factsWith(repeated([12, 200]))).toContain('the same request 12 more times, possibly all to the same endpoint: 200');
    expect(factsWith(repeated([3, 200], [1, 401])).join('\n')).toContain('endpoint: 200 (3 times), 401 (1 time)');
  });

  test('that are all answered alike are not a fault', () => {
    expect(codes(diagnosed({ ...everything, repeated: repeated([12, 200]) }))).toEqual([]);
  });
});
