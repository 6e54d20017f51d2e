import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { WebSocket } from 'ws';
import type { Cluster } from '../../../src/cluster/cluster.ts';
import { Unreachable } from '../../../src/cluster/faults.ts';
import { forwardPort } from '../../../src/cluster/port-forward.ts';
import { PortForwardFault } from '../../../src/cluster/port-stream.ts';
import { ClusterError, DeadlineError } from '../../../src/errors.ts';
import { answer, clusterAt, clusterOf, never, serve, status } from './kube-api.ts';
import { announce, type ForwardRequest, forwardToLoopback, sendData, sendError, serveUpgrades, serveWebSockets } from './kubelet.ts';
import { listening } from './listening.ts';

const pod = { namespace: 'wardle', pod: 'api-0', port: 4443 };

const forwarding = async (forward: Parameters<typeof serveWebSockets>[0]): Promise<Cluster> =>
  clusterAt((await serveWebSockets(forward)).url);

const rejection = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error('it was fulfilled');
    },
    (error: Error) => error,
  );

/** How a stream ends: the error with which it is destroyed. */
const fate = (stream: Duplex): Promise<Error | null> =>
  new Promise((resolve) => {
    stream.resume().on('error', () => {});
    if (stream.closed) resolve(stream.errored);
    else stream.once('close', () => resolve(stream.errored));
  });

describe('bytes', () => {
  test('go both ways, with the path of the pod and the impersonated user', async () => {
    const asked: ForwardRequest[] = [];
    const echo = await listening(net.createServer((socket) => socket.pipe(socket)));
    const { url } = await serveWebSockets((socket, request) => {
      asked.push(request);
      forwardToLoopback(socket, request);
    });
    const cluster = await clusterAt(`${url}/prefix`, { as: 'jane', asGroup: ['devs'] });
    const stream = await forwardPort(cluster, { ...pod, port: echo.port }, never);
    stream.write('hello');
    expect(String(await once(stream, 'data'))).toBe('hello');
    stream.destroy();
    expect(asked).toMatchObject([
      {
        path: '/prefix/api/v1/namespaces/wardle/pods/api-0/portforward',
        port: echo.port,
        headers: {
          authorization: 'Bearer a-token',
          'impersonate-user': 'jane',
          'impersonate-group': 'devs',
          'sec-websocket-protocol': 'v4.channel.k8s.io',
        },
      },
    ]);
  });

  test('arrive in order, however the messages are cut', async () => {
    let cut: readonly Buffer[] = [];
    const cluster = await forwarding((socket) => {
      for (const piece of cut) socket.send(Buffer.concat([Buffer.of(0), piece]));
      socket.close(1000);
    });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(200)), async (bytes, cuts) => {
        // The port comes first, and may be cut too.
        const sent = Buffer.concat([Buffer.of(pod.port & 0xff, pod.port >> 8), bytes]);
        const at = [0, ...cuts.sort((a, b) => a - b), sent.length];
        cut = at.slice(1).map((end, index) => sent.subarray(at[index], end));
        expect(await buffer(await forwardPort(cluster, pod, never))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 50 },
    );
  });

  test('arrive when many are read late', async () => {
    const sent = Buffer.from(Array.from({ length: 2_000_000 }, (_, i) => i % 251));
    const cluster = await forwarding((socket, { port }) => {
      announce(socket, port);
      for (let at = 0; at < sent.length; at += 300_000) sendData(socket, sent.subarray(at, at + 300_000));
      socket.close(1000);
    });
    const stream = await forwardPort(cluster, pod, never);
    await sleep(50);
    expect((await buffer(stream)).equals(sent)).toBe(true);
  });

  test('wait in the pod until they are read', async () => {
    let sent = 0;
    const cluster = await forwarding((socket, { port }) => {
      announce(socket, port);
      const pour = (): void => {
        if (socket.readyState !== socket.OPEN || sent > 200e6) return;
        socket.send(Buffer.alloc(64 * 1024), () => {
          sent += 64 * 1024;
          pour();
        });
      };
      pour();
    });
    const stream = await forwardPort(cluster, pod, never);
    await sleep(300);
    const before = sent;
    await sleep(200);
    expect(sent).toBe(before);
    stream.destroy();
  });
});

describe('a forward that ends in the pod', () => {
  test.each([
    ['refused', 'connection refused by localhost in the pod', 'dial tcp4 127.0.0.1:4443: connect: connection refused IPv6 dial tcp6'],
    [
      'refused',
      'connection refused by localhost in the pod',
      'exit status 1: socat[9]: E connect(5, AF=2 127.0.0.1:4443, 16): Connection refused\n',
    ],
    ['reset', 'connection reset in the pod', 'read tcp 127.0.0.1:44312->127.0.0.1:4443: read: connection reset by peer'],
    [
      'no-forward',
      'the kubelet failed to forward: network namespace for sandbox "4f1c" is closed',
      'network namespace for sandbox "4f1c" is closed\n',
    ],
  ])('%s: %s', async (fault, message, text) => {
    const { url, open } = await serveWebSockets((socket, { port }) => {
      announce(socket, port);
      sendError(socket, text);
      // It stays open, as with a kubelet.
    });
    const stream = await forwardPort(await clusterAt(url), pod, never);
    expect(await fate(stream)).toMatchObject({ fault, message });
    await vi.waitFor(() => expect(open.size).toBe(0));
  });

  test('a server that closes ends the stream', async () => {
    const server = await listening(net.createServer((socket) => socket.end('bye')));
    const stream = await forwardPort(await forwarding(forwardToLoopback), { ...pod, port: server.port }, never);
    expect(String(await buffer(stream))).toBe('bye');
  });
});

describe('a refused port-forward', () => {
  const refusedWith = (code: number, body: unknown): Promise<Error> => refusedBy((_, response) => answer(response, code, body));
  const refusedBy = async (handler: Parameters<typeof clusterOf>[0]): Promise<Error> =>
    rejection(forwardPort(await clusterOf(handler), pod, never));

  test.each([
    'pods "api-0" is forbidden: User "jane" cannot get resource "pods/portforward" in API group "" in the namespace "wardle"',
    'pods "api-0" is forbidden: ',
  ])('a missing permission: %s', async (message) => {
    const error = await refusedWith(403, status(403, 'Forbidden', message));
    expect(error).toBeInstanceOf(ClusterError);
    expect(error).toMatchObject({
      message: `not allowed to port-forward to pod wardle/api-0: ${message.replace(/: $/, '')}`,
      fix: 'Grant this RBAC rule: Role in namespace wardle: {apiGroups: [""], resources: [pods/portforward], verbs: [get, create]}',
    });
  });

  test('a policy, which no RBAC rule overrides', async () => {
    const message = `pods "api-0" is forbidden: ValidatingAdmissionPolicy 'no-debug' with binding 'all' denied request: not here`;
    expect(await refusedWith(403, status(403, 'Forbidden', message))).toMatchObject({ fix: expect.not.stringContaining('RBAC') });
  });

  test('bad credentials', async () => {
    expect((await refusedWith(401, status(401, 'Unauthorized', 'Unauthorized'))).message).toContain(
      'rejects the credentials of user "test"',
    );
  });

  test.each([
    [404, status(404, 'NotFound', 'pods "api-0" not found'), 'HTTP status 404: pods "api-0" not found'],
    [400, status(400, 'BadRequest', 'pod api-0 does not have a host assigned'), 'HTTP status 400: pod api-0 does not have a host assigned'],
    [500, status(500, 'InternalError', 'error dialing backend: no route'), 'HTTP status 500: error dialing backend: no route'],
    [
      400,
      status(400, 'BadRequest', 'Upgrade request required'),
      'HTTP status 400: a proxy in front of kube-apiserver does not forward WebSockets',
    ],
    [200, '<html>Log in</html>', 'HTTP status 200: a web page, "Log in"'],
  ])('status %i', async (code, body, words) => {
    expect((await refusedWith(code, body)).message).toBe(`failed to port-forward to pod wardle/api-0: ${words}`);
  });

  test('a server that closes the connection or does not exist', async () => {
    expect(await refusedBy((_, response) => response.destroy())).toBeInstanceOf(Unreachable);
    expect((await rejection(forwardPort(await clusterAt('http://127.0.0.1:1'), pod, never))).message).toContain('connection refused');
  });

  test('a proxy that upgrades to something else', async () => {
    const url = await serveUpgrades((_, socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'),
    );
    expect((await rejection(forwardPort(await clusterAt(url), pod, never))).message).toMatch(
      /^failed to connect to the cluster .*: Invalid Sec-WebSocket-Accept header$/,
    );
  });

  test('a proxy that cuts the connection', async () => {
    const cluster = await forwarding((socket) => socket.terminate());
    expect(await rejection(forwardPort(cluster, pod, never))).toMatchObject({
      fault: 'no-forward',
      message: 'the port-forward failed: connection closed',
    });
  });

  test.each<[string, (socket: WebSocket) => void]>([
    ['another port', (socket) => announce(socket, 80)],
    ['another channel', (socket) => socket.send(Buffer.of(7, 1, 2))],
    ['text', (socket) => socket.send('hello')],
  ])('%s is garbage', async (_, act) => {
    expect(await rejection(forwardPort(await forwarding(act), pod, never))).toMatchObject({
      fault: 'no-forward',
      message: 'the answer does not follow the port-forward protocol of the kubelet',
    });
  });

  test('a message that is too large is refused', async () => {
    const cluster = await forwarding((socket, { port }) => {
      announce(socket, port);
      sendData(socket, Buffer.alloc(8 * 1024 * 1024));
    });
    const stream = await forwardPort(cluster, pod, never);
    expect(await fate(stream)).toMatchObject({ fault: 'no-forward', message: expect.stringMatching(/^the port-forward failed: /) });
  });

  test('no answer is a time-out, before and after the upgrade', { timeout: 15_000 }, async () => {
    const silent = await clusterAt(await serveUpgrades(() => {}));
    const mute = await serveWebSockets(() => {});
    const [before, after] = await Promise.all([
      rejection(forwardPort(silent, pod, never)),
      rejection(forwardPort(await clusterAt(mute.url), pod, never)),
    ]);
    expect(before.message).toMatch(/: (dial tcp \S+: i\/o timeout|net\/http: timeout awaiting response headers)$/);
    expect(after).toBeInstanceOf(PortForwardFault);
    expect(after.message).toBe('the kubelet does not answer: timed out');
    await vi.waitFor(() => expect(mute.open.size).toBe(0));
  });
});

describe('the signal', () => {
  const reason = new DeadlineError('timed out after 1s');
  const abortSoon = (): AbortSignal => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 30);
    return stop.signal;
  };

  test('ends an attempt', async () => {
    const silent = await clusterAt(await serveUpgrades(() => {}));
    expect(await rejection(forwardPort(silent, pod, abortSoon()))).toBe(reason);
    const { url, open } = await serveWebSockets(() => {});
    const mute = await clusterAt(url);
    expect(await rejection(forwardPort(mute, pod, abortSoon()))).toBe(reason);
    expect(await rejection(forwardPort(mute, pod, AbortSignal.abort(reason)))).toBe(reason);
    await vi.waitFor(() => expect(open.size).toBe(0));
  });

  test('ends an open stream and its WebSocket', async () => {
    const { url, open } = await serveWebSockets((socket, { port }) => announce(socket, port));
    const stop = new AbortController();
    const stream = await forwardPort(await clusterAt(url), pod, stop.signal);
    stop.abort(reason);
    expect(await fate(stream)).toMatchObject({ name: 'AbortError', cause: reason });
    await vi.waitFor(() => expect(open.size).toBe(0));
  });
});

test('destroying a stream does not wait for the other side', async () => {
  let closed: Promise<unknown> | undefined;
  const url = await serveUpgrades(({ headers }, socket) => {
    // The handshake of RFC 6455 section 4.2.2. The server ignores everything after it.
    const accept = createHash('sha1').update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    const lines = [
      'upgrade: websocket',
      'connection: upgrade',
      `sec-websocket-accept: ${accept}`,
      'sec-websocket-protocol: v4.channel.k8s.io',
    ];
    socket.write(['HTTP/1.1 101 Switching Protocols', ...lines, '', ''].join('\r\n'));
    socket.write(Buffer.of(0x82, 3, 0, pod.port & 0xff, pod.port >> 8));
    closed = once(socket.resume(), 'end');
  });
  const stream = await forwardPort(await clusterAt(url), pod, never);
  stream.destroy();
  await closed;
});

test('uses the proxy, as requests do', async () => {
  const behind = await serveWebSockets((socket, { port }) => {
    announce(socket, port);
    socket.close(1000);
  });
  const proxy = await serve(
    () => {},
    (_, socket) => {
      const onward = net.connect(Number(new URL(behind.url).port), '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      onward.pipe(socket).pipe(onward);
    },
  );
  const cluster = await clusterAt('http://kube.example.com:8080', {}, { HTTP_PROXY: proxy });
  expect(await buffer(await forwardPort(cluster, pod, never))).toHaveLength(0);
});
