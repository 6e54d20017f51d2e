import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { constants, createDeflate, deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { portStream } from '../../../../src/cluster/port-stream.ts';
import { openWebSocket } from '../../../../src/cluster/web-socket.ts';
import { createKubelet } from '../../../../src/sandbox/node/kubelet.ts';
import { createLog } from '../../../../src/sandbox/node/log.ts';
import { headerDictionary } from '../../../../src/sandbox/node/spdy-dictionary.ts';
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

describe('port-forward by SPDY', () => {
  /** The frames of a client that opens one connection, says something and ends. */
  async function conversation(port: number, words: string): Promise<Buffer> {
    const deflate = createDeflate({ dictionary: headerDictionary });
    const squeezed = async (block: Buffer): Promise<Buffer> => {
      await new Promise<void>((resolve) => deflate.write(block, () => deflate.flush(constants.Z_SYNC_FLUSH, resolve)));
      return deflate.read();
    };
    const u32 = (value: number): Buffer => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    };
    const block = (headers: Record<string, string>): Buffer =>
      Buffer.concat([
        u32(Object.keys(headers).length),
        ...Object.entries(headers)
          .flat()
          .flatMap((each) => [u32(each.length), Buffer.from(each)]),
      ]);
    const synStream = async (id: number, type: string): Promise<Buffer> => {
      const payload = Buffer.concat([
        u32(id),
        u32(0),
        Buffer.alloc(2),
        await squeezed(block({ Streamtype: type, Port: String(port), Requestid: '0' })),
      ]);
      return Buffer.concat([u32(0x80030001), u32(payload.length), payload]);
    };
    const data = (id: number, flags: number, bytes: string): Buffer =>
      Buffer.concat([u32(id), u32((flags << 24) | bytes.length), Buffer.from(bytes)]);
    const ping = Buffer.concat([u32(0x80030006), u32(4), u32(1)]);
    return Buffer.concat([
      await synStream(1, 'error'),
      await synStream(3, 'data'),
      data(3, 0, words),
      ping,
      data(3, 1, ''),
      data(1, 1, ''),
    ]);
  }

  /** Sends bytes in pieces. @returns data by stream, until all of them have ended, and the types of control frames */
  async function talk(bytes: Buffer, pieceBytes: number): Promise<{ data: Record<number, string>; control: number[]; status: string }> {
    const socket = connect(Number(new URL(origin).port), '127.0.0.1');
    socket.write('POST /portForward/ns/pod HTTP/1.1\r\nhost: kubelet\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n\r\n');
    for (let at = 0; at < bytes.length; at += pieceBytes) socket.write(bytes.subarray(at, at + pieceBytes));
    let rest = Buffer.alloc(0);
    const result = { data: {} as Record<number, string>, control: [] as number[], status: '' };
    const ended = new Set<number>();
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      rest = Buffer.concat([rest, chunk]);
      if (result.status === '') {
        const end = rest.indexOf('\r\n\r\n');
        if (end === -1) continue;
        result.status = rest.toString('utf8', 0, rest.indexOf('\r\n'));
        rest = rest.subarray(end + 4);
      }
      while (rest.length >= 8 && rest.length >= 8 + rest.readUIntBE(5, 3)) {
        const [first, flags, length] = [rest.readUInt32BE(), rest[4], rest.readUIntBE(5, 3)];
        if (first >>> 31) result.control.push(first & 0xffff);
        else result.data[first] = (result.data[first] ?? '') + rest.toString('utf8', 8, 8 + length);
        if (!(first >>> 31) && flags === 1) ended.add(first);
        rest = rest.subarray(8 + length);
      }
      if (ended.size === 2) break;
    }
    return result;
  }

  test.each([1, 7, 10_000])('leads to the pod in pieces of %d bytes', async (pieceBytes) => {
    const { status, data, control } = await talk(await conversation(8443, 'hello'), pieceBytes);
    expect(status).toBe('HTTP/1.1 101 Switching Protocols');
    expect(data).toEqual({ 1: '', 3: 'hello' });
    // Two replies, and the ping.
    expect(control.toSorted()).toEqual([2, 2, 6]);
  });

  test('says on the stream for errors that nobody listens', async () => {
    const { data } = await talk(await conversation(1, 'hello'), 10_000);
    expect(data).toEqual({ 1: expect.stringContaining('dial tcp4 127.0.0.1:1: connect: connection refused'), 3: '' });
  });

  test('has the dictionary that everybody has', () => {
    // Adler-32 of it is the identity by which zlib knows a dictionary (RFC 1950 section 2.2).
    const id = deflateSync('x', { dictionary: headerDictionary }).subarray(2, 6);
    expect(id.toString('hex')).toBe('e3c6a7c2');
  });
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
