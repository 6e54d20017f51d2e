import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { watchHealth } from '../../../../src/sandbox/node/health.ts';
import { type ProbeTarget, runProbe } from '../../../../src/sandbox/node/probes.ts';

let server: Server;
let target: ProbeTarget;
let status = 200;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/slow') return;
    response.writeHead(request.url === '/moved' ? 302 : status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  // The container declares 8443 and listens on another port of this host.
  target = { address: '127.0.0.1', ports: [{ name: 'web', containerPort: 8443 }], localPort: (each) => (each === 8443 ? port : each) };
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test.each([
  ['a response', { httpGet: { port: 'web', path: '/' } }, undefined],
  ['a port number', { httpGet: { port: 8443 } }, undefined],
  ['a redirect', { httpGet: { port: 'web', path: '/moved' } }, undefined],
  ['a server that does not respond', { httpGet: { port: 'web', path: '/slow' }, timeoutSeconds: 0.1 }, /context deadline exceeded/],
  ['a port without a server', { httpGet: { port: 1 } }, /^Get "http:\/\/127\.0\.0\.1:1\/": connection refused$/],
  ['a server without TLS', { httpGet: { port: 'web', scheme: 'HTTPS' } }, /^Get "https:/],
  ['an unknown port', { httpGet: { port: 'none' } }, /^port none not found$/],
  ['a command', { exec: { command: ['false'] } }, undefined],
])('a probe of %s', async (_, probe, expected) => {
  const failure = await runProbe(probe, target);
  if (expected) expect(failure).toMatch(expected);
  else expect(failure).toBeUndefined();
});

/** The calls of the watcher in order. */
function watch(probes: object) {
  const calls: string[] = [];
  const over = new AbortController();
  const watching = {
    target,
    signal: over.signal,
    onReady: (ready: boolean) => calls.push(`ready ${ready}`),
    onUnhealthy: (message: string) => calls.push(message),
  };
  const ended = watchHealth(probes, watching).then(
    () => 'restart',
    () => 'stopped',
  );
  return { calls, ended, stop: () => over.abort() };
}
const probe = { httpGet: { port: 'web' }, periodSeconds: 0.05, failureThreshold: 2 };

test('a container without probes is ready at once', async () => {
  const { calls, ended, stop } = watch({});
  await expect.poll(() => calls).toEqual(['ready true']);
  stop();
  expect(await ended).toBe('stopped');
});

test('readiness follows the responses of the server', async () => {
  status = 500;
  const { calls, stop } = watch({ readinessProbe: probe });
  await expect.poll(() => calls).toContain('Readiness probe failed: HTTP probe failed with statuscode: 500');
  expect(calls).not.toContain('ready true');
  status = 200;
  await expect.poll(() => calls.at(-1)).toBe('ready true');
  status = 500;
  await expect.poll(() => calls).toContain('ready false');
  status = 200;
  await expect.poll(() => calls.filter((each) => each === 'ready true')).toHaveLength(2);
  stop();
});

test('the liveness probe demands a restart after failureThreshold failures in a row', async () => {
  const { calls, ended } = watch({ livenessProbe: { ...probe, failureThreshold: 3 } });
  await sleep(120);
  status = 503;
  expect(await ended).toBe('restart');
  expect(calls.filter((each) => each.startsWith('Liveness'))).toHaveLength(3);
  status = 200;
});

test('the other probes wait for the startup probe, which demands a restart when it never passes', async () => {
  status = 500;
  const { calls, ended } = watch({ startupProbe: probe, livenessProbe: probe, readinessProbe: probe });
  expect(await ended).toBe('restart');
  expect(new Set(calls)).toEqual(new Set(['Startup probe failed: HTTP probe failed with statuscode: 500']));
  status = 200;
});
