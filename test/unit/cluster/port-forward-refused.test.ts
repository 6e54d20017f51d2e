import { describe, expect, test, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { Unreachable } from '../../../src/cluster/faults.ts';
import { forwardPort } from '../../../src/cluster/port-forward.ts';
import { PortForwardFault } from '../../../src/cluster/port-stream.ts';
import { ClusterError } from '../../../src/errors.ts';
import { fate, forwarding, pod, rejection } from './forwarding.ts';
import { answer, clusterAt, clusterOf, never, status } from './kube-api.ts';
import { announce, sendData, serveUpgrades, serveWebSockets } from './kubelet.ts';

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
      message: 'the response does not follow the port-forward protocol of the kubelet',
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
    expect(after.message).toBe('no response from the kubelet: timed out');
    await vi.waitFor(() => expect(mute.open.size).toBe(0));
  });
});
