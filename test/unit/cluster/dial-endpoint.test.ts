import { getEventListeners, once, setMaxListeners } from 'node:events';
import net from 'node:net';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Cluster } from '../../../src/cluster/cluster.ts';
import { dialEndpoint } from '../../../src/cluster/dial.ts';
import { DeadlineError } from '../../../src/errors.ts';
import type { Leaf } from '../../../src/pki/types.ts';
import { answer, clusterAt, clusterOf, never, status } from './kube-api.ts';
import { announce, forwardToLoopback, sendData, sendError, serveWebSockets } from './kubelet.ts';
import { listening, serverName, servingCertificate, tlsServer } from './listening.ts';

/** Linux never has a route for a TCP connection to a multicast address. */
const nowhere = '224.0.0.1';
const pod = { namespace: 'wardle', pod: 'api-0', serverName };
const refusedThere = { kind: 'failed', fault: 'localhost-refused', words: 'connection refused by localhost in the pod', via: 'pod' };

let leaf: Leaf;
beforeAll(async () => {
  ({ leaf } = await servingCertificate());
});

/**
 * A cluster that forwards ports as a kubelet does.
 * @param proxied its answer to a request to the pod proxy
 */
async function forwarding(
  forward = forwardToLoopback,
  proxied = status(403, 'Forbidden', 'no'),
): Promise<Cluster & { readonly open: ReadonlySet<unknown> }> {
  const { url, open } = await serveWebSockets(forward, ({ url }, response) => {
    expect(url).toMatch(/^\/api\/v1\/namespaces\/wardle\/pods\/https%3Aapi-0%3A\d+\/proxy\/$/);
    answer(response, (proxied as { code: number }).code, proxied);
  });
  return { ...(await clusterAt(url)), open };
}

/** A cluster that forbids port-forward. */
const forbidding = (): Promise<Cluster> =>
  clusterOf((_, response) => answer(response, 403, status(403, 'Forbidden', 'pods "api-0" is forbidden: no')));

describe('an endpoint without a pod', () => {
  test('is dialled at its address, without the cluster', async () => {
    const target = await listening(tlsServer(leaf));
    const cluster = await clusterAt('http://127.0.0.1:1');
    expect(await dialEndpoint(cluster, { ...target, namespace: 'wardle', pod: undefined }, never)).toMatchObject({
      kind: 'served',
      via: 'address',
    });
  });
});

describe('a pod', () => {
  test('serves its certificate for the server name', async () => {
    const asked: unknown[] = [];
    const { port } = await listening(
      tlsServer(leaf, {
        SNICallback: (name, use) => {
          asked.push(name);
          use(null);
        },
      }),
    );
    const cluster = await forwarding();
    const seen = await dialEndpoint(cluster, { ...pod, port, address: nowhere }, never);
    expect(seen).toMatchObject({ kind: 'served', protocol: 'TLSv1.3', certificates: [{ dnsNames: [serverName] }], via: 'pod' });
    expect(asked).toEqual([serverName]);
    await vi.waitFor(() => expect(cluster.open.size).toBe(0));
  });

  test.each<[string, string, (socket: net.Socket) => void]>([
    ['not-tls', 'speaks plain HTTP', (socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))],
    ['reset', 'closes', (socket) => socket.end()],
    ['reset', 'closes after half a record', (socket) => socket.once('data', () => socket.end(Buffer.from('160303004a0200', 'hex')))],
  ])('%s: a server that %s', async (fault, _, act) => {
    const { port } = await listening(net.createServer(act));
    expect(await dialEndpoint(await forwarding(), { ...pod, port, address: nowhere }, never)).toMatchObject({
      kind: 'failed',
      fault,
      via: 'pod',
    });
  });

  test('a server that hangs', { timeout: 10_000 }, async () => {
    const { port } = await listening(net.createServer(() => {}));
    const cluster = await forwarding();
    expect(await dialEndpoint(cluster, { ...pod, port, address: nowhere }, never)).toEqual({
      kind: 'failed',
      fault: 'tls-timeout',
      words: 'the TLS handshake timed out',
      via: 'pod',
    });
    await vi.waitFor(() => expect(cluster.open.size).toBe(0));
  });

  test('a kubelet that disconnects during the handshake is not a fault of the server', async () => {
    const cluster = await forwarding((socket, { port }) => {
      announce(socket, port);
      sendData(socket, Buffer.from('160303004a0200', 'hex'));
      setTimeout(() => socket.terminate(), 20);
    });
    expect(await dialEndpoint(cluster, { ...pod, port: 443, address: nowhere }, never)).toEqual({
      kind: 'failed',
      fault: 'no-forward',
      words: 'the port-forward failed: connection closed',
      via: 'pod',
    });
  });
});

describe('a pod whose localhost refuses', () => {
  const refusing: typeof forwardToLoopback = (socket, { port }) => {
    announce(socket, port);
    sendError(socket, `error forwarding port ${port} to pod 4f1c, uid : dial tcp4 127.0.0.1:${port}: connect: connection refused`);
    socket.close(1000);
  };
  const unavailable = (message: string): object => status(503, 'ServiceUnavailable', `error trying to reach service: ${message}`);

  test.each([
    ['may not be asked', status(403, 'Forbidden', 'no')],
    ['gets an answer', status(404, 'NotFound', 'the server could not find the requested resource')],
    ['is refused by something else', status(503, 'ServiceUnavailable', 'etcd: dial tcp 127.0.0.1:2379: connect: connection refused')],
  ])('while its address serves and kube-apiserver %s', async (_, proxied) => {
    const target = { ...pod, ...(await listening(tlsServer(leaf))) };
    expect(await dialEndpoint(await forwarding(refusing, proxied), target, never)).toMatchObject({ kind: 'served', via: 'address' });
  });

  test('as does its address for kube-apiserver, although another server answers here', async () => {
    const target = { ...pod, ...(await listening(tlsServer(leaf))) };
    const proxied = unavailable('dial tcp 10.244.0.5:4443: connect: connection refused');
    expect(await dialEndpoint(await forwarding(refusing, proxied), target, never)).toEqual({
      kind: 'failed',
      fault: 'refused',
      words: 'connection refused by the pod',
      via: 'pod',
    });
  });

  test.each([
    ['of the server', status(403, 'Forbidden', 'forbidden: User "system:anonymous" cannot get path "/"')],
    ['of any kind', status(404, 'NotFound', 'the server could not find the requested resource')],
  ])('while its address answers kube-apiserver: nothing is known of the certificate (an answer %s)', async (_, proxied) => {
    const elsewhere = { ...pod, address: '127.0.0.1', port: 1 };
    expect(await dialEndpoint(await forwarding(refusing, proxied), elsewhere, never)).toEqual({
      kind: 'failed',
      fault: 'no-forward',
      words: 'connection refused by localhost in the pod, but kube-apiserver gets a response from the pod',
      via: 'pod',
    });
  });

  test.each([
    ['RBAC', status(403, 'Forbidden', 'pods "https:api-0:443" is forbidden', { name: 'https:api-0:443', kind: 'pods' })],
    ['something in front of kube-apiserver', status(403, 'Forbidden', 'no')],
    ['a pod that is gone', status(404, 'NotFound', 'pods "api-0" not found', { name: 'api-0', kind: 'pods' })],
    ['a cluster that is busy', status(429, 'TooManyRequests', 'too many requests')],
  ])('where %s prevents the check by kube-apiserver', async (_, proxied) => {
    const target = { ...pod, address: nowhere, port: 443 };
    expect(await dialEndpoint(await forwarding(refusing, proxied), target, never)).toEqual(refusedThere);
  });

  test('and its address serves something else', async () => {
    const target = { ...pod, ...(await listening(net.createServer((socket) => socket.end()))) };
    expect(await dialEndpoint(await forwarding(refusing), target, never)).toMatchObject({ fault: 'reset', via: 'address' });
  });

  test('stays the result where its address is not reachable', async () => {
    const proxied = unavailable('dial tcp 10.244.0.5:4443: i/o timeout');
    expect(await dialEndpoint(await forwarding(refusing, proxied), { ...pod, port: 443, address: nowhere }, never)).toEqual(refusedThere);
  });

  test('stays the result after two seconds without an answer at its address', async () => {
    const proxied = unavailable('dial tcp 10.244.0.5:4443: i/o timeout');
    const server = net.createServer(() => {});
    const hanging = { ...pod, ...(await listening(server)) };
    const cluster = await forwarding(refusing, proxied);
    const connected = once(server, 'connection');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const answered = vi.fn();
    const dialled = dialEndpoint(cluster, hanging, never).finally(answered);
    await connected;
    await vi.advanceTimersByTimeAsync(1_999);
    expect(answered).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await dialled).toEqual(refusedThere);
  });
});

describe('without a port-forward', () => {
  test('its address is dialled', async () => {
    const target = { ...pod, ...(await listening(tlsServer(leaf))) };
    expect(await dialEndpoint(await forbidding(), target, never)).toMatchObject({ kind: 'served', via: 'address' });
    expect(await dialEndpoint(await forbidding(), { ...pod, address: '127.0.0.1', port: 1 }, never)).toMatchObject({
      fault: 'refused',
      via: 'address',
    });
  });

  test('and without its address, the missing permission is named', async () => {
    expect(await dialEndpoint(await forbidding(), { ...pod, port: 443, address: nowhere }, never)).toEqual({
      kind: 'failed',
      fault: 'no-forward',
      words:
        'not allowed to port-forward to pod wardle/api-0: pods "api-0" is forbidden: no. Grant this RBAC rule: Role in namespace wardle: {apiGroups: [""], resources: [pods/portforward], verbs: [get, create]}',
      via: 'pod',
    });
  });
});

test('many handshakes leave no connection open', async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error): unknown => warnings.push(warning);
  process.on('warning', warn);
  onTestFinished(() => void process.off('warning', warn));
  const { port } = await listening(tlsServer(leaf));
  const cluster = await forwarding();
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const seen = await Promise.all(Array.from({ length: 32 }, () => dialEndpoint(cluster, { ...pod, port, address: nowhere }, signal)));
  expect(seen.map(({ kind }) => kind)).toEqual(Array.from({ length: 32 }, () => 'served'));
  await vi.waitFor(() => expect(cluster.open.size).toBe(0));
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(warnings).toEqual([]);
});

test('the signal ends it and its connections', async () => {
  const { port } = await listening(net.createServer(() => {}));
  const cluster = await forwarding();
  const stop = new AbortController();
  const reason = new DeadlineError('timed out after 1s');
  const dialled = Array.from({ length: 3 }, () => dialEndpoint(cluster, { ...pod, port, address: nowhere }, stop.signal));
  setTimeout(() => stop.abort(reason), 100);
  for (const each of await Promise.allSettled(dialled)) expect(each).toEqual({ status: 'rejected', reason });
  await vi.waitFor(() => expect(cluster.open.size).toBe(0));
});
