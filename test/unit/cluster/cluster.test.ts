import net from 'node:net';
import { describe, expect, test } from 'vitest';
import { StreamRefused } from '../../../src/cluster/cluster.ts';
import { Unreachable } from '../../../src/cluster/faults.ts';
import { ClusterError, DeadlineError, Exit } from '../../../src/errors.ts';
import { answer, clusterAt, clusterOf, never, type Received, serve } from './kube-api.ts';

const rejection = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error('it was fulfilled');
    },
    (error: Error) => error,
  );

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

describe('a request', () => {
  test('has the method, path, query, body and user', async () => {
    const received: Received[] = [];
    const cluster = await clusterOf((request, response) => {
      received.push(request);
      answer(response, 201, { ok: true });
    });
    const { status, body } = await cluster.request({
      method: 'PATCH',
      path: '/api/v1/x',
      query: { a: 'b c&d', gone: undefined },
      body: { text: 'ä' },
      contentType: 'application/apply-patch+yaml',
      signal: never,
    });
    expect({ status, body }).toEqual({ status: 201, body: '{"ok":true}' });
    expect(received).toMatchObject([
      {
        method: 'PATCH',
        url: '/api/v1/x?a=b+c%26d',
        body: '{"text":"ä"}',
        headers: { authorization: 'Bearer a-token', 'content-type': 'application/apply-patch+yaml', 'user-agent': 'apisvc' },
      },
    ]);
    expect(cluster).toMatchObject({ context: 'test', user: 'test' });
  });

  test('can impersonate another user', async () => {
    const received: Received[] = [];
    const url = await serve((request, response) => {
      received.push(request);
      answer(response, 200, '');
    });
    const cluster = await clusterAt(url, { as: 'jane', asGroup: ['devs', 'ops'] });
    await cluster.request({ path: '/', signal: never });
    expect(received[0]?.headers).toMatchObject({ 'impersonate-user': 'jane', 'impersonate-group': 'devs, ops' });
    expect(cluster.user).toBe('jane');
  });

  test.each([200, 404, 500])('returns status %i with its body unchanged', async (status) => {
    const cluster = await clusterOf((_, response) => answer(response, status, 'the body\n'));
    expect(await cluster.request({ path: '/', signal: never })).toMatchObject({ status, body: 'the body\n' });
  });

  test('keeps a path in the server URL, as for a cluster behind a proxy', async () => {
    const url = await serve((request, response) => answer(response, 200, request.url));
    const cluster = await clusterAt(`${url}/k8s/clusters/c-1/`);
    expect((await cluster.request({ path: '/version', signal: never })).body).toBe('/k8s/clusters/c-1/version');
  });

  test('ends after its time limit', async () => {
    const cluster = await clusterOf(() => {});
    const error = await rejection(cluster.request({ path: '/', signal: never, timeoutMs: 50 }));
    expect(error).toBeInstanceOf(Unreachable);
    expect(error.message).toBe(
      `failed to connect to the cluster at ${cluster.server} (context "test"): net/http: timeout awaiting response headers`,
    );
  });

  test('an endless body has the same time limit', async () => {
    const cluster = await clusterOf((_, response) => {
      response.write('{');
    });
    expect((await rejection(cluster.request({ path: '/', signal: never, timeoutMs: 50 }))).message).toMatch(/timeout/);
  });

  test('a body that is too large is refused', async () => {
    const zeros = Buffer.alloc(1024 * 1024);
    const cluster = await clusterOf((_, response) => {
      const pour = (): void => {
        while (!response.destroyed) if (!response.write(zeros)) return void response.once('drain', pour);
      };
      pour();
    });
    const error = await rejection(cluster.request({ path: '/', signal: never }));
    expect(error).toBeInstanceOf(Unreachable);
    expect(error.message).toMatch(/: the response is larger than 67108864 bytes$/);
  });

  test('ends with the reason of the signal', async () => {
    const cluster = await clusterOf(() => {});
    const stop = new AbortController();
    const reason = new DeadlineError('timed out after 1s');
    setTimeout(() => stop.abort(reason), 30);
    expect(await rejection(cluster.request({ path: '/', signal: stop.signal }))).toBe(reason);
    expect(await rejection(cluster.request({ path: '/', signal: stop.signal }))).toBe(reason);
  });

  test('goes through the proxy of the environment', async () => {
    const behind = new URL(await serve((_, response) => answer(response, 200, 'behind')));
    const asked: string[] = [];
    const proxy = new URL(
      await serve(
        () => {},
        (request, socket) => {
          asked.push(request.url ?? '');
          const onward = net.connect(Number(behind.port), behind.hostname, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
          onward.pipe(socket).pipe(onward);
        },
      ),
    );
    const cluster = await clusterAt('http://kube.example.com:8080', {}, { HTTP_PROXY: proxy.host });
    expect(await cluster.request({ path: '/', signal: never })).toMatchObject({ status: 200, body: 'behind' });
    expect(asked).toEqual(['kube.example.com:8080']);
  });

  test('the error tells whether the port is closed or the connection broke', async () => {
    const cluster = await clusterAt('http://127.0.0.1:1');
    const refused = await rejection(cluster.request({ path: '/', signal: never }));
    expect(refused).toMatchObject({ exitCode: Exit.unreachable, fix: expect.stringContaining('--context') });
    expect(refused.message).toBe(
      `failed to connect to the cluster at http://127.0.0.1:1 (context "test"): dial tcp 127.0.0.1:1: connect: connection refused`,
    );
    const broken = await clusterOf((_, response) => response.destroy());
    expect((await rejection(broken.request({ path: '/', signal: never }))).message).toMatch(
      /^failed to connect to the cluster .*: EOF \(the server closed the connection\)$/,
    );
  });

  test('the error tells that a server does not speak TLS', async () => {
    const url = await serve((_, response) => answer(response, 200, ''));
    const cluster = await clusterAt(url.replace('http:', 'https:'));
    const error = await rejection(cluster.request({ path: '/', signal: never }));
    expect(error).toBeInstanceOf(ClusterError);
    expect(error.message).toMatch(/^failed to connect to the cluster .*: http: server gave HTTP response to HTTPS client$/);
  });
});

describe('a stream', () => {
  const event = (i: number): string => `{"i":${i}}\n`;

  test('yields whole lines, however the chunks are cut', async () => {
    const cluster = await clusterOf((_, response) => {
      response.write('{"a":');
      setTimeout(() => response.write('1}\n{"b":"ä'), 10);
      setTimeout(() => response.end('"}\n\n{"cut":'), 20);
    });
    expect(await collect(cluster.stream({ path: '/', signal: never }))).toEqual(['{"a":1}', '{"b":"ä"}']);
  });

  test('outlives the time limit of the request', async () => {
    const cluster = await clusterOf((_, response) => {
      response.write(event(1));
      setTimeout(() => response.end(event(2)), 150);
    });
    expect(await collect(cluster.stream({ path: '/', signal: never, timeoutMs: 50 }))).toEqual(['{"i":1}', '{"i":2}']);
  });

  test('that does not start ends after the time limit', async () => {
    const cluster = await clusterOf(() => {});
    expect(await rejection(collect(cluster.stream({ path: '/', signal: never, timeoutMs: 50 })))).toBeInstanceOf(Unreachable);
  });

  test('that breaks is Unreachable; one that is aborted throws the reason', async () => {
    const broken = await clusterOf((_, response) => {
      response.write(event(1));
      setTimeout(() => response.destroy(), 20);
    });
    expect(await rejection(collect(broken.stream({ path: '/', signal: never })))).toBeInstanceOf(Unreachable);
    const hanging = await clusterOf((_, response) => void response.write(event(1)));
    const stop = new AbortController();
    const reason = new Error('enough');
    const lines = hanging.stream({ path: '/', signal: stop.signal });
    expect((await lines.next()).value).toBe('{"i":1}');
    setTimeout(() => stop.abort(reason), 20);
    expect(await rejection(lines.next())).toBe(reason);
  });

  test('that is refused throws the answer', async () => {
    const cluster = await clusterOf((_, response) => answer(response, 403, 'no'));
    const error = await rejection(collect(cluster.stream({ path: '/', signal: never })));
    expect(error).toBeInstanceOf(StreamRefused);
    expect((error as StreamRefused).answer).toMatchObject({ status: 403, body: 'no' });
  });
});
