import { expect, test, vi } from 'vitest';
import { makeMetrics } from '../../../src/commands/monitor-metrics.ts';
import { monitorCluster } from '../../../src/commands/monitored-cluster.ts';
import type { Terminal } from '../../../src/commands/terminal.ts';
import { InterruptedError } from '../../../src/errors.ts';
import { answer, filesOf, kubeconfig, serve, status } from '../cluster/kube-api.ts';
import { rejection } from '../operations/waiting.ts';

test('the error of a failed look is shown without credentials, and ends no monitor', async () => {
  const server = await serve((_, response) =>
    answer(response, 500, status(500, 'InternalError', 'no Bearer abc.def for https://me:secret@idp')),
  );
  const file = `${filesOf({ kubeconfig: JSON.stringify(kubeconfig(server)) })}/kubeconfig`;
  const interrupt = new AbortController();
  const terminal = { env: {}, interrupt: interrupt.signal } as Terminal;
  const flags = { kubeconfig: file, listen: { host: undefined, port: 0 }, interval: 60_000, timeout: 10_000 };
  const metrics = makeMetrics(() => [], ['test'], '1.2.3');
  const logged: string[] = [];
  const monitored = monitorCluster({ flags, context: 'test', metrics, terminal, log: (line) => logged.push(line) });
  const ended = rejection(monitored.ended);
  await vi.waitFor(() => expect(logged.join()).toContain('look failed: '));
  const { error } = monitored.state();
  expect(error).toContain('no Bearer (hidden) for https://idp');
  expect(logged).toContain(`look failed: ${error}`);
  expect({ looked: monitored.looked(), onTime: monitored.onTime() }).toEqual({ looked: true, onTime: true });
  interrupt.abort(new InterruptedError('SIGTERM'));
  expect(await ended).toBe(interrupt.signal.reason);
});
