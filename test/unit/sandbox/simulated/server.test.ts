import { once } from 'node:events';
import type http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pickupQueueIn } from '../../../../src/operations/rotation/pickup-queue.ts';
import { type Running, startRunning } from './running.ts';

let running: Running;
beforeAll(async () => {
  running = await startRunning();
});
afterAll(() => running.stop());

/** A request without a client certificate. */
async function askAsStranger(path: string, headers: http.OutgoingHttpHeaders = {}) {
  const request = https.get(running.server + path, { rejectUnauthorized: false, agent: false, headers });
  const [response] = await once(request, 'response');
  return { status: response.statusCode, body: await text(response) };
}

test('an anonymous client may get the version and little else', async () => {
  expect((await askAsStranger('/version')).status).toBe(200);
  const { status, body } = await askAsStranger('/api/v1/secrets');
  expect(status).toBe(403);
  expect(JSON.parse(body).message).toBe(
    'secrets is forbidden: User "system:anonymous" cannot list resource "secrets" in API group "" at the cluster scope',
  );
});

test('the metrics tell an administrator that no APIService waits to be picked up', async () => {
  expect(pickupQueueIn((await running.ask('GET /metrics')).text)).toEqual({ waiting: 0, busySeconds: 0 });
  expect((await askAsStranger('/metrics')).status).toBe(403);
});

test('an invalid token is refused', async () => {
  const { status, body } = await askAsStranger('/version', { authorization: 'Bearer wrong' });
  expect(status).toBe(401);
  expect(JSON.parse(body)).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'Unauthorized',
    reason: 'Unauthorized',
    code: 401,
  });
});

test('answers have the headers of kube-apiserver', async () => {
  const { headers } = await running.ask('GET /api/v1/namespaces/default');
  expect(headers).toMatchObject({
    'cache-control': 'no-cache, private',
    'content-type': 'application/json',
    'audit-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
});

test('a malformed URL is refused', async () => {
  expect(await running.ask('GET /api/v1/namespaces/%zz')).toMatchObject({ status: 400, json: { message: 'the URL is malformed' } });
});

test('an upgrade that is not supported is ignored', async () => {
  const headers = { connection: 'Upgrade', upgrade: 'h2c' };
  expect((await askAsStranger('/version', headers)).status).toBe(200);
  expect((await askAsStranger('/api/v1/secrets', headers)).status).toBe(403);
});

test('an ignored upgrade keeps the identity of the client', async () => {
  const { json } = await running.ask('POST /api/v1/namespaces/default/serviceaccounts/default/token', { body: {} });
  const headers = { connection: 'Upgrade', upgrade: 'h2c', authorization: `Bearer ${json.status.token}` };
  const { status, body } = await askAsStranger('/api/v1/secrets', headers);
  expect(status).toBe(403);
  expect(JSON.parse(body).message).toContain('User "system:serviceaccount:default:default"');
});

test('a client that hangs up does no harm', async () => {
  const { port } = new URL(running.server);
  const socket = tls.connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  socket.write('POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
  socket.destroy();
  expect((await running.ask('GET /livez')).status).toBe(200);
});

test('it stops at once, even with open watches', async () => {
  const other = await startRunning();
  const watch = await other.watch('/api/v1/namespaces?watch=true');
  await other.stop();
  await watch.ended;
  await other.stop();
  await expect(fetch(other.server)).rejects.toThrow();
});
