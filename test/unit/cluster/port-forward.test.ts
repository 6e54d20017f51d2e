import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { forwardPort } from '../../../src/cluster/port-forward.ts';
import { DeadlineError } from '../../../src/errors.ts';
import { fate, forwarding, pod, rejection } from './forwarding.ts';
import { clusterAt, never, serve } from './kube-api.ts';
import { announce, type ForwardRequest, forwardToLoopback, sendData, sendError, serveUpgrades, serveWebSockets } from './kubelet.ts';
import { listening } from './listening.ts';

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
