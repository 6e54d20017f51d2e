import { expect, test, vi } from 'vitest';
import { makeMetrics } from '../../../src/commands/monitor-metrics.ts';
import { type MonitorFlags, monitorCluster } from '../../../src/commands/monitored-cluster.ts';
import type { Terminal } from '../../../src/commands/terminal.ts';
import { InterruptedError } from '../../../src/errors.ts';
import { answer, filesOf, kubeconfig, serve, status } from '../cluster/kube-api.ts';
import { rejection } from '../operations/waiting.ts';

/** Monitors the cluster at an address. */
function monitorAt(server: string, change: Partial<MonitorFlags> = {}) {
  const file = `${filesOf({ kubeconfig: JSON.stringify(kubeconfig(server)) })}/kubeconfig`;
  const interrupt = new AbortController();
  const terminal = { env: {}, interrupt: interrupt.signal } as Terminal;
  const flags = { kubeconfig: file, listen: { host: undefined, port: 0 }, interval: 60_000, timeout: 10_000, ...change };
  const metrics = makeMetrics(() => [], ['test'], '1.2.3');
  const logged: string[] = [];
  const monitored = monitorCluster({ flags, context: 'test', metrics, terminal, firstMs: 0, log: (line) => logged.push(line) });
  const ended = rejection(monitored.ended);
  const end = async () => {
    interrupt.abort(new InterruptedError('SIGTERM'));
    expect(await ended).toBe(interrupt.signal.reason);
  };
  return { monitored, logged, end };
}

test('the error of a failed run is shown without credentials, and ends no monitor', async () => {
  const server = await serve((_, response) =>
    answer(response, 500, status(500, 'InternalError', 'no Bearer abc.def for https://me:secret@idp')),
  );
  const { monitored, logged, end } = monitorAt(server);
  await vi.waitFor(() => expect(logged.join()).toContain('run failed: '));
  const { error } = monitored.state();
  expect(error).toContain('no Bearer (hidden) for https://idp');
  expect(logged).toContain(`run failed: ${error}`);
  expect({ hasRun: monitored.hasRun(), onTime: monitored.onTime() }).toEqual({ hasRun: true, onTime: true });
  await end();
});

test('Events belong to the time of the run that found the change', async () => {
  let conditions: object[] = [];
  const server = await serve(({ method, url }, response) => {
    // The Event gets no answer.
    if (method === 'POST') return;
    if (url === '/version') return answer(response, 200, { gitVersion: 'v1.37.0' });
    if (url === '/api/v1') return answer(response, 200, { kind: 'APIResourceList', groupVersion: 'v1', resources: [] });
    const spec = { version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 };
    const object = { apiVersion: 'v1', kind: 'APIService', metadata: { name: 'v1.' }, spec, status: { conditions } };
    answer(response, 200, url.endsWith('/v1.') ? object : { metadata: { resourceVersion: '1' }, items: [object] });
  });
  const { monitored, logged, end } = monitorAt(server, { interval: 1, timeout: 2_000, events: true });
  await vi.waitFor(() => expect(monitored.state().last).toBeDefined());
  conditions = [{ type: 'Available', status: 'False', reason: 'Test', message: 'test' }];
  const why = 'timed out after 2s verifying all APIServices: no response from .* to POST /api/v1/namespaces/default/events for';
  const said = expect.stringMatching(`^Event not created: ${why}`);
  await vi.waitFor(() => expect(logged).toContainEqual(said), { timeout: 20_000 });
  // What the run has found counts, and the next one follows.
  const { error, last } = monitored.state();
  expect(error).toBeUndefined();
  conditions = [];
  await vi.waitFor(() => expect(monitored.state().last).not.toBe(last), { timeout: 20_000 });
  await end();
});
