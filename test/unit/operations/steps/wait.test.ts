import { describe, expect, test } from 'vitest';
import { DeadlineError, Exit, InterruptedError } from '../../../../src/errors.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import { waitForAvailable } from '../../../../src/operations/steps/available.ts';
import { waitForEndpoints } from '../../../../src/operations/steps/endpoints.ts';
import type { Waiting } from '../../../../src/operations/wait.ts';
import { withAvailable } from '../objects.ts';
import { rejection, waitingFor } from '../waiting.ts';

describe('Available', () => {
  const broken = withAvailable('False', 'MissingEndpoints', 'endpoints for service/api in "wardle" have no addresses');

  test('is watched, and each state is reported once', async () => {
    const { waiting, states } = await waitingFor([], [broken, broken, withAvailable('True', 'Passed', 'all checks passed')]);
    await waitForAvailable(waiting, 'v1.example.com');
    expect(states()).toEqual([
      'no Available condition yet',
      'Available=False (MissingEndpoints): endpoints for service/api in "wardle" have no addresses',
    ]);
  });

  test('that does not come in time is an error with the last state', async () => {
    const stop = new AbortController();
    const { waiting } = await waitingFor([broken], [], stop.signal);
    const onProgress: Waiting['onProgress'] = (each) => {
      if (each.kind === 'waiting' && each.last.startsWith('Available=False')) stop.abort(new DeadlineError('timed out after 1s'));
    };
    const error = await rejection(waitForAvailable({ ...waiting, onProgress }, 'v1.example.com'));
    expect(error).toBeInstanceOf(DeadlineError);
    expect(error).toMatchObject({
      exitCode: Exit.deadline,
      message:
        'timed out after 1s, waiting for APIService v1.example.com to become Available; last state: Available=False (MissingEndpoints): endpoints for service/api in "wardle" have no addresses',
      fix: expect.stringContaining('--timeout'),
    });
  });

  test('Ctrl-C is not a deadline', async () => {
    const stop = new AbortController();
    const reason = new InterruptedError('SIGINT');
    setTimeout(() => stop.abort(reason), 30);
    const { waiting } = await waitingFor([broken], [], stop.signal);
    expect(await rejection(waitForAvailable(waiting, 'v1.example.com'))).toBe(reason);
  });
});

test('an endpoint counts when it is ready, and when its readiness is not set', async () => {
  const slice = (ready: boolean | undefined): KubeObject =>
    ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'api-x', namespace: 'wardle' },
      endpoints: [{ addresses: ['10.0.0.1'], conditions: ready === undefined ? {} : { ready } }],
      ports: [],
    }) as unknown as KubeObject;
  const { waiting, states } = await waitingFor([slice(false)], [slice(true)]);
  await waitForEndpoints(waiting, 'wardle', 'api');
  expect(states()).toEqual(['0 of 1 endpoints ready']);
  await waitForEndpoints((await waitingFor([slice(undefined)])).waiting, 'wardle', 'api');
});
