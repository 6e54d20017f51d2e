import { expect, test } from 'vitest';
import { withCluster } from '../../../src/commands/cluster.ts';
import { DeadlineError } from '../../../src/errors.ts';
import { rejection } from '../operations/waiting.ts';
import { answer, filesOf, kubeconfig, never, serve } from './kube-api.ts';

/** Runs one request with a deadline, on a cluster that answers or is frozen. */
async function requested(isFrozen: boolean, timeout: number) {
  const server = await serve((_, response) => isFrozen || answer(response, 200, '{}'));
  const dir = filesOf({ config: JSON.stringify(kubeconfig(server)) });
  const flags = { kubeconfig: `${dir}/config`, timeout };
  const failure = await rejection(
    withCluster(flags, { env: {}, interrupt: never }, 'rotating', async (cluster, signal) => {
      await cluster.request({ path: '/api/v1/namespaces', signal });
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    }),
  );
  return { failure, server };
}

test('at the deadline, the server that does not respond is named, and what it was asked', async () => {
  const { failure, server } = await requested(true, 1_200);
  expect(failure).toBeInstanceOf(DeadlineError);
  expect(failure).toMatchObject({
    message: expect.stringMatching(
      new RegExp(`^timed out after 1\\.2s rotating: no response from ${server} \\(context "test"\\) to GET /api/v1/namespaces for \\d+s$`),
    ),
    fix: 'Check that the server is running. If it is only slow, set a longer --timeout.',
  });
});

test('a server that responds is not blamed', async () => {
  const { failure } = await requested(false, 300);
  expect(failure).toMatchObject({ message: 'timed out after 0.3s rotating', fix: 'Set a longer --timeout.' });
});
