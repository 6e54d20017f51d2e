import { describe, expect, test } from 'vitest';
import { DeadlineError, InterruptedError } from '../../../src/errors.ts';
import { verifyUntilHealthy } from '../../../src/operations/verify.ts';
import { answer, clusterOf, never, status } from '../cluster/kube-api.ts';
import { withAvailable } from './objects.ts';
import { rejection } from './waiting.ts';

const wanted = { names: ['v1.example.com'] };

describe('verify --wait', () => {
  /**
   * A cluster whose API is Available after so many failed checks. After `answers` requests it calls
   * `onSilence` instead of answering.
   */
  async function clusterThatHeals(failures: number, answers = Number.POSITIVE_INFINITY, onSilence = () => {}) {
    const requests = { condition: 0, answer: 0 };
    const list = { kind: 'APIResourceList', groupVersion: 'example.com/v1', resources: [{ name: 'a' }] };
    const cluster = await clusterOf(({ url }, response) => {
      if (url === '/version') return answer(response, 200, { gitVersion: 'v1.37.2' });
      if (url === '/apis/example.com/v1') {
        requests.answer += 1;
        if (requests.answer > answers) return onSilence();
        return requests.answer > failures ? answer(response, 200, list) : answer(response, 503, 'service unavailable');
      }
      if (url.includes('/apiservices/')) {
        requests.condition += 1;
        return answer(
          response,
          200,
          requests.condition > failures ? withAvailable('True', 'Passed', '') : withAvailable('False', 'X', 'y'),
        );
      }
      return answer(response, 403, status(403, 'Forbidden', 'no'));
    });
    return { cluster, requests };
  }

  test('repeats until the API is healthy', async () => {
    const { cluster, requests } = await clusterThatHeals(1);
    const { diagnosis } = await verifyUntilHealthy(cluster, { wanted, until: never, signal: never });
    expect(diagnosis).toMatchObject({ verdict: 'healthy', source: { version: 'v1.37.2' } });
    expect(requests).toEqual({ condition: 2, answer: 2 });
  });

  test('checks once when the time limit has passed already', async () => {
    const { cluster, requests } = await clusterThatHeals(9);
    const { diagnosis } = await verifyUntilHealthy(cluster, { wanted, until: AbortSignal.abort(), signal: never });
    expect(diagnosis.verdict).toBe('broken');
    expect(diagnosis.apis[0]?.notChecked.map(({ what }) => what)).toEqual(expect.arrayContaining(['the Service', 'the EndpointSlices']));
    expect(requests).toEqual({ condition: 1, answer: 1 });
  });

  /** A deadline that passes during the check after so many. */
  async function deadlineAfter(checks: number) {
    const stop = new AbortController();
    const { cluster } = await clusterThatHeals(9, checks, () => stop.abort(new DeadlineError('timed out')));
    return { cluster, signal: stop.signal };
  }

  test('returns the last diagnosis when the deadline interrupts another check', async () => {
    const { cluster, signal } = await deadlineAfter(1);
    const { diagnosis } = await verifyUntilHealthy(cluster, { wanted, until: signal, signal });
    expect(diagnosis).toMatchObject({ verdict: 'broken', apis: [{ findings: [{ code: 'control-plane/not-available' }] }] });
  });

  test('throws when the deadline interrupts the first check', async () => {
    const { cluster, signal } = await deadlineAfter(0);
    expect(await rejection(verifyUntilHealthy(cluster, { wanted, until: signal, signal }))).toBe(signal.reason);
  });

  test('throws on Ctrl-C, without a diagnosis', async () => {
    const stop = new AbortController();
    const reason = new InterruptedError('SIGINT');
    const { cluster } = await clusterThatHeals(9, 1, () => stop.abort(reason));
    expect(await rejection(verifyUntilHealthy(cluster, { wanted, until: stop.signal, signal: stop.signal }))).toBe(reason);
  });

  test('reports an unknown version when the user may not read it', async () => {
    const cluster = await clusterOf((_, response) => answer(response, 403, status(403, 'Forbidden', 'no')));
    const { diagnosis } = await verifyUntilHealthy(cluster, { wanted, until: AbortSignal.abort(), signal: never });
    expect(diagnosis).toMatchObject({ verdict: 'unknown', source: { version: undefined } });
  });

  test('throws when the credentials are rejected', async () => {
    const cluster = await clusterOf((_, response) => answer(response, 401, status(401, 'Unauthorized', 'Unauthorized')));
    const error = await rejection(verifyUntilHealthy(cluster, { wanted, until: never, signal: never }));
    expect((error as Error).message).toContain('rejects the credentials of user "test"');
  });
});
