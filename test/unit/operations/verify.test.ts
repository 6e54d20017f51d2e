import { describe, expect, test } from 'vitest';
import { DeadlineError, InterruptedError } from '../../../src/errors.ts';
import { verifyUntilHealthy } from '../../../src/operations/verify.ts';
import { answer, clusterOf, never, status } from '../cluster/kube-api.ts';
import { withAvailable } from './objects.ts';
import { rejection } from './waiting.ts';

const wanted = { names: ['v1.example.com'] };

describe('verify --wait', () => {
  /** A cluster whose API answers, and is called Available, after so many looks. `hush` is called instead of an answer once there were so many. */
  async function clusterThatHeals(failures: number, answers = Number.POSITIVE_INFINITY, hush = () => {}) {
    const looks = { condition: 0, answer: 0 };
    const list = { kind: 'APIResourceList', groupVersion: 'example.com/v1', resources: [{ name: 'a' }] };
    const cluster = await clusterOf(({ url }, response) => {
      if (url === '/version') return answer(response, 200, { gitVersion: 'v1.37.2' });
      if (url === '/apis/example.com/v1') {
        looks.answer += 1;
        if (looks.answer > answers) return hush();
        return looks.answer > failures ? answer(response, 200, list) : answer(response, 503, 'service unavailable');
      }
      if (url.includes('/apiservices/')) {
        looks.condition += 1;
        return answer(response, 200, looks.condition > failures ? withAvailable('True', 'Passed', '') : withAvailable('False', 'X', 'y'));
      }
      return answer(response, 403, status(403, 'Forbidden', 'no'));
    });
    return { cluster, looks };
  }

  test('looks again until it is healthy', async () => {
    const { cluster, looks } = await clusterThatHeals(1);
    const { diagnosis } = await verifyUntilHealthy(cluster, { wanted, until: never, signal: never });
    expect(diagnosis).toMatchObject({ verdict: 'healthy', source: { version: 'v1.37.2' } });
    expect(looks).toEqual({ condition: 2, answer: 2 });
  });

  test('looks once when the time is up already, and says what is wrong', async () => {
    const { cluster, looks } = await clusterThatHeals(9);
    const { diagnosis } = await verifyUntilHealthy(cluster, { wanted, until: AbortSignal.abort(), signal: never });
    expect(diagnosis.verdict).toBe('broken');
    expect(diagnosis.apis[0]?.notChecked.map(({ what }) => what)).toEqual(expect.arrayContaining(['the Service', 'the EndpointSlices']));
    expect(looks).toEqual({ condition: 1, answer: 1 });
  });

  /** A deadline that passes when the look after so many is under way. */
  async function deadlineAfter(looks: number) {
    const stop = new AbortController();
    const { cluster } = await clusterThatHeals(9, looks, () => stop.abort(new DeadlineError('timed out')));
    return { cluster, signal: stop.signal };
  }

  test('gives the last diagnosis when the deadline cuts a further look short', async () => {
    const { cluster, signal } = await deadlineAfter(1);
    const { diagnosis } = await verifyUntilHealthy(cluster, { wanted, until: signal, signal });
    expect(diagnosis).toMatchObject({ verdict: 'broken', apis: [{ findings: [{ code: 'control-plane/not-available' }] }] });
  });

  test('has nothing to say when the deadline passes before the first look is done', async () => {
    const { cluster, signal } = await deadlineAfter(0);
    expect(await rejection(verifyUntilHealthy(cluster, { wanted, until: signal, signal }))).toBe(signal.reason);
  });

  test('is ended by Ctrl-C without a diagnosis', async () => {
    const stop = new AbortController();
    const reason = new InterruptedError('SIGINT');
    const { cluster } = await clusterThatHeals(9, 1, () => stop.abort(reason));
    expect(await rejection(verifyUntilHealthy(cluster, { wanted, until: stop.signal, signal: stop.signal }))).toBe(reason);
  });

  test('a version that may not be read is unknown, not invented', async () => {
    const cluster = await clusterOf((_, response) => answer(response, 403, status(403, 'Forbidden', 'no')));
    const { diagnosis } = await verifyUntilHealthy(cluster, { wanted, until: AbortSignal.abort(), signal: never });
    expect(diagnosis).toMatchObject({ verdict: 'unknown', source: { version: undefined } });
  });

  test('credentials that are refused end it', async () => {
    const cluster = await clusterOf((_, response) => answer(response, 401, status(401, 'Unauthorized', 'Unauthorized')));
    const error = await rejection(verifyUntilHealthy(cluster, { wanted, until: never, signal: never }));
    expect((error as Error).message).toContain('rejects the credentials of user "test"');
  });
});
