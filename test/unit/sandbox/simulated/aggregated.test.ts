import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { UserInfo } from '../../../../src/sandbox/shared/identity.ts';
import { createAggregator } from '../../../../src/sandbox/simulated/aggregated.ts';
import { apiServiceKind, endpointSliceKind, serviceKind } from '../../../../src/sandbox/simulated/lookup.ts';
import type { Obj, Simulation } from '../../../../src/sandbox/simulated/types.ts';
import { makeCa } from '../../pki/certificates.ts';
import {
  bundleOf,
  certificates,
  expose,
  front,
  host,
  httpsServer,
  isAvailable,
  jane,
  later,
  listen,
  name,
  register,
  request,
  servingName,
  simulate,
} from './testbed.ts';

const path = '/apis/example.com/v1/namespaces/x/things';

afterEach(() => void vi.useRealTimers());

/** An available API behind an HTTP front. */
async function aggregate(listener: http.RequestListener, { spec = {}, user = jane }: { spec?: Obj; user?: UserInfo } = {}) {
  const simulation = await simulate();
  const { ca, leaf } = await certificates();
  const server = httpsServer([leaf], listener, { ca: simulation.frontProxyCa, rejectUnauthorized: true });
  const backend = await listen(server);
  expose(simulation, backend);
  register(simulation, { caBundle: bundleOf(ca), ...spec }, isAvailable);
  return { simulation, server, backend, port: await front(createAggregator(simulation), user) };
}

const change = ({ store }: Simulation, spec: Obj): Obj => {
  const { metadata, ...before } = store.get(apiServiceKind, undefined, name) as Obj;
  return store.update(apiServiceKind, { ...before, metadata: { name: metadata.name }, spec: { ...before.spec, ...spec } });
};

const echo: http.RequestListener = async (received, response) => {
  const { method, url, headers } = received;
  response.writeHead(201, {
    'content-type': 'text/x',
    'audit-id': 'its-own',
    'cache-control': 'max-age=5',
  });
  response.end(JSON.stringify({ method, url, headers, body: await text(received) }));
};

test('it owns the paths of APIServices with a Service', async () => {
  const simulation = await simulate();
  register(simulation, {});
  const owns = (at: string): boolean => createAggregator(simulation).owns({ path: at } as never);
  expect(['/apis/example.com/v1', '/apis/example.com/v1/', `${path}/y`, '/openapi/v3/apis/example.com/v1'].map(owns)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['/apis/example.com', '/apis/example.com/v2', '/apis', '/api/v1', '/example.com/v1'].map(owns)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
  simulation.store.delete(apiServiceKind, undefined, name);
  register(simulation, { service: undefined });
  expect(owns(path)).toBe(false);
});

test('a request is passed on with its body and the identity of the user', async () => {
  const user = { name: 'jané', uid: 'u-1', groups: ['a', 'b'], extra: { 'example.com/Key%': ['1', '2'] } };
  const { port, backend } = await aggregate(echo, { user });
  const sent = {
    authorization: 'Bearer secret',
    'x-remote-user': 'system:admin',
    'x-remote-group': 'system:masters',
    'x-remote-extra-evil': 'yes',
    'impersonate-user': 'other',
    'x-forwarded-for': '9.9.9.9',
    accept: 'text/x',
  };
  const answer = await request(port, `${path}?b=2&a=1%20x`, { method: 'POST', headers: sent, body: 'a body' });
  expect(answer.status).toBe(201);
  expect(answer.headers).toMatchObject({ 'content-type': 'text/x', 'audit-id': 'its-own', 'cache-control': 'max-age=5' });
  const { method, url, headers, body } = JSON.parse(answer.body);
  expect({ method, url, body }).toEqual({ method: 'POST', url: `${path}?b=2&a=1%20x`, body: 'a body' });
  expect(headers).toEqual({
    accept: 'text/x',
    connection: 'keep-alive',
    'content-length': '6',
    host: `${host}:${backend}`,
    'x-forwarded-for': `9.9.9.9, ${host}`,
    'x-forwarded-host': `${host}:${backend}`,
    'x-forwarded-proto': 'https',
    'x-forwarded-uri': path,
    'x-remote-extra-example.com%2fkey%25': '1, 2',
    'x-remote-group': 'a, b',
    'x-remote-uid': 'u-1',
    'x-remote-user': Buffer.from('jané').toString('latin1'),
  });
});

test.each(['PUT', 'DELETE'])('a body of unknown length is passed on: %s', async (method) => {
  const { port } = await aggregate(echo);
  const { body } = await request(port, path, { method, headers: { 'transfer-encoding': 'chunked' }, body: 'a body' });
  expect(JSON.parse(body)).toMatchObject({ method, body: 'a body' });
});

test('one connection serves many requests, and another caBundle gets a new one', async () => {
  const { port, server, simulation } = await aggregate(echo);
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  for (const _ of Array.from({ length: 5 })) await request(port, path);
  expect(connections).toBe(1);
  const other = await makeCa({ commonName: 'other' });
  change(simulation, { caBundle: bundleOf(other) });
  const refused = {
    status: 503,
    body: 'error trying to reach service: tls: failed to verify certificate: x509: certificate signed by unknown authority\n',
  };
  expect(await request(port, path)).toMatchObject(refused);
  change(simulation, { caBundle: undefined, insecureSkipTLSVerify: true });
  expect((await request(port, path)).status).toBe(201);
});

test('a client does not notice a closed idle connection', async () => {
  const { port, server } = await aggregate((_, response) => void response.end('ok'));
  await request(port, path);
  server.closeAllConnections();
  expect(await request(port, path)).toMatchObject({ status: 200, body: 'ok' });
});

test('a request that a client abandons is not repeated', async () => {
  const asked: (string | undefined)[] = [];
  const hungUp = later<void>();
  const { port } = await aggregate(({ url, socket }, response) => {
    asked.push(url);
    if (!url?.endsWith('slow')) return void response.end('ok');
    socket.once('close', hungUp.resolve);
    client.destroy();
  });
  await request(port, path);
  const client = http.get({ host, port, path: `${path}/slow` }).on('error', () => {});
  await hungUp.promise;
  await request(port, `${path}/next`);
  expect(asked).toEqual([path, `${path}/slow`, `${path}/next`]);
});

test('a watch streams, and ends when the client hangs up', async () => {
  const begun = later<http.ServerResponse>();
  const ended = later<void>();
  const { port } = await aggregate((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('one');
    response.once('close', ended.resolve);
    begun.resolve(response);
  });
  const client = http.get({ host, port, path: `${path}?watch=true` });
  const [response] = await new Promise<http.IncomingMessage[]>((resolve) => client.once('response', (...got) => resolve(got)));
  const parts = (response as http.IncomingMessage)[Symbol.asyncIterator]();
  expect(String((await parts.next()).value)).toBe('one');
  (await begun.promise).write('two');
  expect(String((await parts.next()).value)).toBe('two');
  client.destroy();
  await ended.promise;
});

describe('it answers like kube-apiserver', () => {
  const plain = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };

  test('with service unavailable, while the condition is not True', async () => {
    const { port, simulation } = await aggregate(echo);
    const apiService = simulation.store.get(apiServiceKind, undefined, name) as Obj;
    for (const conditions of [[], [{ ...isAvailable.conditions[0], status: 'False' }]]) {
      simulation.store.update(apiServiceKind, { ...apiService, metadata: { name }, status: { conditions } });
      expect(await request(port, path)).toMatchObject({ status: 503, body: 'service unavailable\n', headers: plain });
    }
  });

  test('the same when the Service is deleted while the condition is True', async () => {
    const { port, simulation } = await aggregate(echo);
    simulation.store.delete(serviceKind, 'default', 'api');
    expect(await request(port, path)).toMatchObject({ status: 503, body: 'service unavailable\n' });
  });

  test.each([
    ['Cg==', 'unable to parse bytes as PEM block'],
    [
      Buffer.from('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n').toString('base64'),
      'unable to parse bytes as PEM block',
    ],
    [
      Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n').toString('base64'),
      'failed to parse certificate: x509: malformed certificate',
    ],
  ])('with the reason why the caBundle %s has no certificate', async (caBundle, why) => {
    const { port, simulation } = await aggregate(echo);
    change(simulation, { caBundle });
    expect(await request(port, path)).toMatchObject({ status: 500, body: `unable to load root certificates: ${why}\n`, headers: plain });
  });

  test('with the message of Go for a failed connection', async () => {
    const { port, server, backend } = await aggregate(({ socket }) => void socket.destroy());
    expect(await request(port, path)).toMatchObject({ status: 503, body: 'error trying to reach service: EOF\n' });
    await new Promise((resolve) => server.close(resolve));
    const refused = `dial tcp ${host}:${backend}: connect: connection refused`;
    const answer = { status: 503, body: `error trying to reach service: ${refused}\n`, headers: plain };
    expect(await request(port, path)).toMatchObject(answer);
    expect(await request(port, path, { method: 'POST', body: 'x'.repeat(1e6) })).toMatchObject(answer);
  });

  test('with a refusal of redirects', async () => {
    const { port } = await aggregate((_, response) => void response.writeHead(302, { location: '/elsewhere' }).end('away'));
    const body = 'the backend attempted to redirect this request, which is not permitted';
    const { status, body: got, headers } = await request(port, path);
    expect({ status, got, location: headers.location }).toEqual({ status: 502, got: body, location: undefined });
  });

  test('when discovery takes longer than 5 s, and waits for other requests', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const waiting: http.ServerResponse[] = [];
    const { port } = await aggregate((_, response) => void waiting.push(response));
    const answers = [request(port, '/apis/example.com/v1'), request(port, path)] as const;
    await vi.waitUntil(() => waiting.length === 2);
    vi.advanceTimersByTime(5_000);
    expect(await answers[0]).toMatchObject({ status: 503, body: 'error trying to reach service: context deadline exceeded\n' });
    for (const response of waiting) response.end('late');
    expect(await answers[1]).toMatchObject({ status: 200, body: 'late' });
  });

  test('when a handshake takes longer than 10 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { port, simulation } = await aggregate(echo);
    const silent = net.createServer();
    const hello = later<void>();
    let hellos = 0;
    silent.on('connection', (socket) => socket.once('data', () => ++hellos === 2 && hello.resolve()));
    const [slice] = simulation.store.list(endpointSliceKind);
    simulation.store.update(endpointSliceKind, { ...slice, ports: [{ name: '', port: await listen(silent) }] });
    const [answer, discovery] = [request(port, path), request(port, '/apis/example.com/v1')];
    await hello.promise;
    vi.advanceTimersByTime(5_000);
    expect(await discovery).toMatchObject({ status: 503, body: 'error trying to reach service: context deadline exceeded\n' });
    vi.advanceTimersByTime(5_000);
    expect(await answer).toMatchObject({ status: 503, body: 'error trying to reach service: net/http: TLS handshake timeout\n' });
  });

  test('with an aborted answer, where the backend aborts', async () => {
    const { port } = await aggregate(({ socket }, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('some', () => socket.destroy());
    });
    await expect(request(port, path).then(({ body }) => body)).rejects.toThrow();
  });
});

test('a WebSocket is refused as not simulated', async () => {
  const { port } = await aggregate(echo);
  const { status, body } = await request(port, path, { headers: { connection: 'close', upgrade: 'websocket' } });
  expect({ status, message: JSON.parse(body).message }).toEqual({
    status: 501,
    message: expect.stringContaining('WebSockets to extension API servers are not simulated'),
  });
});

test('SNI is the name of the Service', async () => {
  const asked = later<unknown>();
  const { port } = await aggregate(({ socket }, response) => {
    asked.resolve((socket as { servername?: string }).servername);
    response.end();
  });
  await request(port, path);
  expect(await asked.promise).toBe(servingName);
});
