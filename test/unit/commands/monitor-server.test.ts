import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { describeListen, hostFilter, parseListen } from '../../../src/commands/listen.ts';
import { type Page, type Pages, servePages, text } from '../../../src/commands/monitor-server.ts';
import { Exit, UsageError } from '../../../src/errors.ts';
import { rejection } from '../operations/waiting.ts';

async function serving(pages: Pages = {}) {
  const logged: string[] = [];
  const server = await servePages(
    { host: '127.0.0.1', port: 0 },
    { '/healthz': () => text('ok'), '/': (query) => text(`context ${query.get('context')}`), ...pages },
    (line) => logged.push(line),
  );
  onTestFinished(() => server.close());
  return { ...server, url: `http://127.0.0.1:${server.port}`, logged };
}

/** Sends bytes, and reads until the server closes the connection. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  socket.on('error', () => {});
  await once(socket, 'close');
  return received;
}

describe('the server of a monitor', () => {
  test('answers GET and HEAD', async () => {
    const { url } = await serving();
    const found = await fetch(`${url}/?context=a%20b`);
    expect({ status: found.status, body: await found.text() }).toEqual({ status: 200, body: 'context a b\n' });
    expect(found.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(found.headers.get('x-content-type-options')).toBe('nosniff');
    const head = await fetch(`${url}/healthz`, { method: 'HEAD' });
    expect({ status: head.status, length: head.headers.get('content-length'), body: await head.text() }).toEqual({
      status: 200,
      length: '3',
      body: '',
    });
  });

  test.each(['/nothing', '/__proto__', '/toString', '/healthz/', '//'])('does not know %s', async (path) => {
    const { url } = await serving();
    expect((await fetch(url + path)).status).toBe(404);
  });

  test('refuses other methods, and does not read their body', async () => {
    const { url, port } = await serving();
    const refused = await fetch(`${url}/healthz`, { method: 'DELETE' });
    expect({ status: refused.status, allow: refused.headers.get('allow') }).toEqual({ status: 405, allow: 'GET, HEAD' });
    expect(await exchange(port, 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nx')).toMatch(
      /^HTTP\/1\.1 405 .*Connection: close/is,
    );
  });

  test('refuses large headers', async () => {
    const { port } = await serving();
    expect(await exchange(port, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(10_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('answers while clients send nothing or half a request, and closes their connections', async () => {
    const { port, url } = await serving();
    const sockets = Array.from({ length: 100 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const [index, socket] of sockets.entries()) if (index % 2 === 0) socket.write('GET /healthz HTTP/1.1\r\n');
    const closed = Promise.all(sockets.map((socket) => socket.closed || once(socket.resume(), 'close')));
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    await closed;
  });

  test('closes the connection of a client that does not read', async () => {
    const size = 2 ** 25;
    const { port } = await serving({ '/report.json': () => text('x'.repeat(size)) });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.write('GET /report.json HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'readable');
    vi.advanceTimersByTime(30_000);
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    await once(socket, 'close');
    expect(received).toBeLessThan(size);
  });

  test('makes no page for the responses behind another one, and keeps nothing of them after the client disconnects', async () => {
    const requests: IncomingMessage[] = [];
    const onStart = (message: unknown): void => {
      requests.push((message as { readonly request: IncomingMessage }).request);
    };
    subscribe('http.server.request.start', onStart);
    onTestFinished(() => {
      unsubscribe('http.server.request.start', onStart);
    });
    const makePage = vi.fn(() => new Promise<Page>(() => {}));
    const { port } = await serving({ '/report.json': makePage });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.write('GET /report.json HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(16));
    await vi.waitFor(() => expect(requests).toHaveLength(16), { timeout: 10_000 });
    expect(makePage).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(1);
    const closed = requests.slice(0, 1).map((request) => once(request.socket, 'close'));
    socket.destroy();
    await Promise.all(closed);
    expect(vi.getTimerCount()).toBe(0);
  });

  /** A server with a page that is never complete, as for a client that reads slowly. */
  const crowded = async () => {
    let asked = 0;
    const pages: Pages = {
      '/report.json': () => {
        asked += 1;
        return new Promise<Page>(() => {});
      },
    };
    const { port } = await serving(pages);
    const closed: string[] = [];
    const open = async (name: string): Promise<Socket> => {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.once('close', () => closed.push(name));
      onTestFinished(() => {
        socket.destroy();
      });
      await once(socket.resume(), 'connect');
      return socket;
    };
    const ask = async (name: string, count = 1): Promise<void> => {
      const before = asked;
      for (let each = 0; each < count; each += 1) (await open(name)).write('GET /report.json HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await vi.waitFor(() => expect(asked).toBe(before + count), { timeout: 10_000 });
    };
    const openMany = async (name: string, count: number): Promise<void> => {
      for (let each = 0; each < count; each += 1) await open(name);
    };
    return { port, closed, open, openMany, ask };
  };
  const probe = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

  test('of too many connections, closes the oldest without a request in progress, or with one where most have one', async () => {
    const { port, closed, open, openMany, ask } = await crowded();
    const probeCloses = async (expected: readonly string[]): Promise<void> => {
      expect(await exchange(port, probe)).toMatch(/^HTTP\/1\.1 200 /);
      await vi.waitFor(() => expect(closed).toEqual(expected), { timeout: 10_000 });
    };
    await ask('first');
    await ask('other', 31);
    await open('idle');
    await openMany('other', 31);
    await probeCloses(['idle']);
    await ask('last');
    await probeCloses(['idle', 'first']);
  });

  test('while clients read slowly, a flood of connections does not close one that was just opened', async () => {
    const { port, closed, open, openMany, ask } = await crowded();
    await ask('slow', 63);
    const own = await open('probe');
    await openMany('flood', 30);
    expect(await exchange(port, probe)).toMatch(/^HTTP\/1\.1 200 /);
    expect(closed).not.toContain('probe');
    own.write(probe);
    const [answer] = await once(own, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
    expect(new Set(closed.filter((name) => name !== 'probe'))).toEqual(new Set(['slow']));
  });

  test('answers few requests of one connection', async () => {
    const { port } = await serving();
    const answers = await exchange(port, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(100));
    expect(answers.match(/^HTTP\/1\.1 200 /gm)).toHaveLength(16);
  });

  test('goes on after a connection that could not be accepted, and says so once', async () => {
    const { url, logged } = await serving();
    const servers: Server[] = [];
    const onStart = (message: unknown): void => {
      servers.push((message as { readonly server: Server }).server);
    };
    subscribe('http.server.request.start', onStart);
    await fetch(`${url}/healthz`);
    unsubscribe('http.server.request.start', onStart);
    for (const _ of [1, 2]) servers[0]?.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept' }));
    expect(logged).toEqual(['failed to accept a connection: too many open files']);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test('says once that a page could not be made, and goes on', async () => {
    const fail = () => {
      throw new Error('no report');
    };
    const { url, logged } = await serving({ '/report.json': fail });
    for (const _ of [1, 2]) expect(await rejection(fetch(`${url}/report.json`))).toBeInstanceOf(TypeError);
    expect(logged).toEqual(['failed to answer a request: no report']);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test('refuses the name of another site', async () => {
    const { port } = await serving();
    const get = (host: string) => exchange(port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(await get(`evil.example:${port}`)).toMatch(/^HTTP\/1\.1 403 [\s\S]*\r\n\r\nforbidden: /);
    expect(await get(`localhost:${port}`)).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('says which address is in use', async () => {
    const { port } = await serving();
    const error = await rejection(servePages({ host: '127.0.0.1', port }, {}, () => {}));
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ exitCode: Exit.usage, message: `failed to listen on 127.0.0.1:${port}: the port is already in use` });
  });
});

describe('the Host header', () => {
  const local = hostFilter({ host: 'workstation', port: 1 }, '127.0.1.1');

  test.each(['localhost', 'LOCALHOST:1', '127.0.0.1', '127.1.2.3:1', '[::1]:1', '[::ffff:127.0.0.1]', 'Workstation:1'])('%s', (host) => {
    expect(local(host)).toBe(true);
  });

  test.each([
    ...[undefined, '', ':1', 'evil.example', 'localhost.evil.example', '127.evil.example', '10.0.0.1', '0.0.0.0'],
    ...['[fe80::1]', '[::1', '::1', 'localhost:1:1', 'a@localhost', 'localhost, evil.example'],
  ])('%s is refused on a loopback address', (host) => {
    expect(local(host)).toBe(false);
  });

  test.each(['0.0.0.0', '::', '10.0.0.1'])('any is accepted on %s', (bound) => {
    expect(hostFilter({ host: bound, port: 1 }, bound)('evil.example')).toBe(true);
  });

  test.each(['::1', '::ffff:127.0.0.1'])('%s is a loopback address', (bound) => {
    expect(hostFilter({ host: bound, port: 1 }, bound)('evil.example')).toBe(false);
  });
});

describe('--listen', () => {
  test.each([
    [':8080', { host: undefined, port: 8080 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['[::1]:9', { host: '::1', port: 9 }],
    ['localhost:65535', { host: 'localhost', port: 65535 }],
  ])('%s', (given, expected) => {
    expect(parseListen(given)).toEqual(expected);
    expect(describeListen(expected)).toBe(given);
  });

  test.each(['', '8080', ':', ':65536', ':123456', '::1:80', 'a b:80', 'http://a:80', '[a:80'])('%j is refused', (given) => {
    expect(parseListen(given)).toBeUndefined();
  });
});
