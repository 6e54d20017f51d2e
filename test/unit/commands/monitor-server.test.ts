import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeListen, parseListen } from '../../../src/commands/listen.ts';
import { servePages, text } from '../../../src/commands/monitor-server.ts';
import { Exit, UsageError } from '../../../src/errors.ts';
import { rejection } from '../operations/waiting.ts';

async function serving() {
  const server = await servePages(
    { host: '127.0.0.1', port: 0 },
    { '/healthz': () => text('ok'), '/': (query) => text(`context ${query.get('context')}`) },
  );
  onTestFinished(() => server.close());
  return { ...server, url: `http://127.0.0.1:${server.port}` };
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
    expect(await exchange(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nx')).toMatch(
      /^HTTP\/1\.1 405 .*Connection: close/is,
    );
  });

  test('refuses large headers', async () => {
    const { port } = await serving();
    expect(await exchange(port, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(10_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('says which address is in use', async () => {
    const { port } = await serving();
    const error = await rejection(servePages({ host: '127.0.0.1', port }, {}));
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ exitCode: Exit.usage, message: `failed to listen on 127.0.0.1:${port}: the port is already in use` });
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
