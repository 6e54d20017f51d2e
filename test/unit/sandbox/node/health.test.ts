import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { watchHealth } from '../../../../src/sandbox/node/health.ts';
import { look, type ProbeTarget } from '../../../../src/sandbox/node/probes.ts';

let server: Server;
let target: ProbeTarget;
let status = 200;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/slow') return;
    response.writeHead(request.url === '/moved' ? 302 : status).end(request.headers['x-name']);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  // As the pod has it: another port stands for the one that it names.
  target = { address: '127.0.0.1', ports: [{ name: 'web', containerPort: 8443 }], portHere: (each) => (each === 8443 ? port : each) };
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test.each([
  ['an answer', { httpGet: { port: 'web', path: '/' } }, undefined],
  ['a port by its number', { httpGet: { port: 8443 } }, undefined],
  ['a redirection', { httpGet: { port: 'web', path: '/moved' } }, undefined],
  ['silence', { httpGet: { port: 'web', path: '/slow' }, timeoutSeconds: 0.1 }, /context deadline exceeded/],
  ['no server', { httpGet: { port: 1 } }, /^Get "http:\/\/127\.0\.0\.1:1\/": dial tcp 127\.0\.0\.1:1: connect: connection refused$/],
  ['a server without TLS', { httpGet: { port: 'web', scheme: 'HTTPS' } }, /^Get "https:/],
  ['a connection', { tcpSocket: { port: 'web' } }, undefined],
  ['no connection', { tcpSocket: { port: 1 } }, /connection refused/],
  ['a command', { exec: { command: ['false'] } }, undefined],
])('a probe of %s', async (_, probe, words) => {
  const seen = await look(probe, target);
  if (words) expect(seen).toMatch(words);
  else expect(seen).toBeUndefined();
});

/** What the watcher tells, in its order. */
function watch(probes: object) {
  const told: string[] = [];
  const over = new AbortController();
  const watching = {
    target,
    signal: over.signal,
    onReady: (ready: boolean) => told.push(`ready ${ready}`),
    onUnhealthy: (words: string) => told.push(words),
  };
  const ended = watchHealth(probes, watching).catch(() => 'stopped');
  return { told, ended, stop: () => over.abort() };
}
const probe = { httpGet: { port: 'web' }, periodSeconds: 0.05, failureThreshold: 2 };

test('without probes a container is ready at once, until it ends', async () => {
  const { told, ended, stop } = watch({});
  await expect.poll(() => told).toEqual(['ready true']);
  stop();
  expect(await ended).toBe('stopped');
});

test('readiness comes and goes with what the server says', async () => {
  status = 500;
  const { told, stop } = watch({ readinessProbe: probe });
  await expect.poll(() => told).toContain('Readiness probe failed: HTTP probe failed with statuscode: 500');
  expect(told).not.toContain('ready true');
  status = 200;
  await expect.poll(() => told.at(-1)).toBe('ready true');
  status = 500;
  await expect.poll(() => told).toContain('ready false');
  status = 200;
  await expect.poll(() => told.filter((each) => each === 'ready true')).toHaveLength(2);
  stop();
});

test('liveness ends it after as many failures in a row as are too many', async () => {
  const { told, ended } = watch({ livenessProbe: { ...probe, failureThreshold: 3 } });
  await sleep(120);
  status = 503;
  expect(await ended).toBe('liveness probe');
  expect(told.filter((each) => each.startsWith('Liveness'))).toHaveLength(3);
  status = 200;
});

test('the others wait for the startup probe, which ends it when it never passes', async () => {
  status = 500;
  const { told, ended } = watch({ startupProbe: probe, livenessProbe: probe, readinessProbe: probe });
  expect(await ended).toBe('startup probe');
  expect(new Set(told)).toEqual(new Set(['Startup probe failed: HTTP probe failed with statuscode: 500']));
  status = 200;
});
