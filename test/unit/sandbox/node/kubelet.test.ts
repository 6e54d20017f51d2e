import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { portStream } from '../../../../src/cluster/port-stream.ts';
import { openWebSocket } from '../../../../src/cluster/web-socket.ts';
import { createKubelet } from '../../../../src/sandbox/node/kubelet.ts';
import { createLog } from '../../../../src/sandbox/node/log.ts';
import { containerOf, onNode, podOf } from './objects.ts';

const kubelet = createKubelet();
const log = createLog(
  () => new Date('2030-01-01T00:00:00Z'),
  () => {},
);
const signal = new AbortController().signal;
let server: Server;
let echo: ReturnType<typeof createTcpServer>;
let origin: string;

const listening = (each: Server | typeof echo): Promise<number> =>
  new Promise((resolve) => each.listen(0, '127.0.0.1', () => resolve((each.address() as AddressInfo).port)));

beforeAll(async () => {
  server = createServer(kubelet.server.answer).on('upgrade', kubelet.server.upgrade);
  echo = createTcpServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  origin = `http://127.0.0.1:${await listening(server)}`;
  const container = containerOf({
    declaredPort: 8443,
    port: await listening(echo),
    state: { kind: 'running', startedAt: new Date(), log, usage: () => undefined },
  });
  kubelet.pods.set('uid', onNode(podOf('pod'), container));
  log.write('one\ntwo\nthree\n');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  echo.close();
});

describe('the log of a container', () => {
  const path = '/containerLogs/ns/pod/server';

  test.each([
    ['', 'one\ntwo\nthree\n'],
    ['?tailLines=1', 'three\n'],
    ['?limitBytes=5', 'one\nt'],
    ['?tailLines=1&timestamps=true', '2030-01-01T00:00:00.000Z three\n'],
    ['?tailLines=1&limitBytes=2&follow=true', 'th'],
  ])('%s', async (query, body) => {
    const answer = await fetch(origin + path + query);
    expect([answer.status, await answer.text()]).toEqual([200, body]);
  });

  test('goes on with follow until the run ends', async () => {
    const answer = await fetch(`${origin}${path}?tailLines=1&follow=true`);
    setTimeout(() => {
      log.write('four\n');
      log.close();
    }, 50);
    expect(await answer.text()).toBe('three\nfour\n');
  });

  test.each([
    ['/containerLogs/ns/other/server', 404, 'pod "other" does not exist'],
    ['/containerLogs/ns/pod/other', 404, 'container "other" not found in pod "pod"'],
    [`${path}?previous=true`, 400, 'previous terminated container "server" in pod "pod" not found'],
    ['/other', 404, '404: Page Not Found'],
  ])('%s is answered %s', async (url, status, words) => {
    const answer = await fetch(origin + url);
    expect([answer.status, await answer.text()]).toEqual([status, words]);
  });
});

describe('port-forward by WebSocket', () => {
  const open = (query: string) => {
    const headers = {};
    const options = { url: new URL(`${origin.replace('http', 'ws')}/portForward/ns/pod?${query}`), protocol: 'v4.channel.k8s.io' };
    // biome-ignore lint/suspicious/noExplicitAny: no agent is needed.
    return openWebSocket({ ...options, agent: undefined as any, headers, signal });
  };
  const forward = async (port: number): Promise<Duplex> => {
    const socket = await open(`port=${port}`);
    if (!('readyState' in socket)) throw new Error(`status ${socket.statusCode}`);
    return portStream(socket, { port, timeoutMs: 5_000, signal });
  };

  test("leads to the pod's port, wherever that is here, and brings all bytes", async () => {
    const stream = await forward(8443);
    const sent = Buffer.alloc(3_000_000, 'abcdefg');
    let got = 0;
    const all = new Promise<void>((resolve) =>
      stream.on('data', (chunk: Buffer) => {
        expect(chunk.equals(sent.subarray(got, got + chunk.length))).toBe(true);
        got += chunk.length;
        if (got === sent.length) resolve();
      }),
    );
    // A client sends small pieces.
    for (let at = 0; at < sent.length; at += 30_000) stream.write(sent.subarray(at, at + 30_000));
    await all;
    stream.destroy();
  });

  test('says that nobody listens', async () => {
    const stream = await forward(1);
    await expect(text(stream)).rejects.toThrow('connection refused by localhost in the pod');
  });

  test.each(['', 'port=0', 'port=x', 'port=70000'])('is refused for "%s"', async (query) => {
    expect(await open(query)).toMatchObject({ statusCode: 400 });
  });
});

test('port-forward by SPDY, as kubectl asks for it, is not there', async () => {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1');
  socket.write('POST /portForward/ns/pod HTTP/1.1\r\nhost: kubelet\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n\r\n');
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 501 Not Implemented\r\n.*kubectl/s);
});

test.each(['//', '/%zz', '/containerLogs/%zz/pod/server'])('a URL that is none: %s', async (path) => {
  const { port } = new URL(origin);
  const socket = connect(Number(port), '127.0.0.1');
  socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /);
});

test('a log that is followed ends at its limit, however much is said at once', async () => {
  const said = createLog(
    () => new Date(),
    () => {},
  );
  const container = containerOf({ state: { kind: 'running', startedAt: new Date(), log: said, usage: () => undefined } });
  kubelet.pods.set('talkative', onNode(podOf('talkative'), container));
  said.write('one\n');
  const response = await fetch(`${origin}/containerLogs/ns/talkative/server?follow=true&limitBytes=10`);
  said.write('two\nthree\nfour\nfive\n');
  expect(await response.text()).toBe('one\ntwo\nth');
});
