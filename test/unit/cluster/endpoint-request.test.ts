import type { RequestListener } from 'node:http';
import https from 'node:https';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { endpointClient } from '../../../src/cluster/endpoint-request.ts';
import { DeadlineError } from '../../../src/errors.ts';
import type { Leaf } from '../../../src/pki/types.ts';
import { clusterAt, never } from './kube-api.ts';
import { forwardToLoopback, serveWebSockets } from './kubelet.ts';
import { listening, serverName, servingCertificate } from './listening.ts';

let leaf: Leaf;
beforeAll(async () => {
  ({ leaf } = await servingCertificate());
});

/** An HTTPS server that counts its connections. */
async function serving(handler: RequestListener) {
  const server = https.createServer({ cert: leaf.certificates, key: leaf.key.reveal() }, handler);
  let connections = 0;
  server.on('secureConnection', () => {
    connections += 1;
  });
  return { target: await listening(server), connections: () => connections };
}

const direct = { namespace: 'wardle', pod: undefined, via: 'address' } as const;
const path = '/apis/example.com/v1';

describe('an anonymous request', () => {
  test('uses one connection, with the given headers and no credentials', async () => {
    const asked: object[] = [];
    const { target, connections } = await serving(({ url, headers }, response) => {
      asked.push({ url, host: headers.host, user: headers['x-remote-user'], authorization: headers.authorization });
      response.writeHead(403).end('no');
    });
    const client = endpointClient(await clusterAt('http://127.0.0.1:1'), { ...direct, ...target }, never);
    expect(await client.get({ path, timeoutMs: 5_000 })).toEqual({ status: 403, body: 'no' });
    expect(await client.get({ path, headers: { 'x-remote-user': 'root' }, timeoutMs: 5_000 })).toEqual({ status: 403, body: 'no' });
    client.close();
    expect(asked).toEqual([
      { url: path, host: serverName, user: undefined, authorization: undefined },
      { url: path, host: serverName, user: 'root', authorization: undefined },
    ]);
    expect(connections()).toBe(1);
  });

  test('reaches a pod through the kubelet, and leaves nothing open', async () => {
    const { target } = await serving((_, response) => response.end('yes'));
    const { url, open } = await serveWebSockets(forwardToLoopback, () => {});
    const endpoint = { ...target, address: '224.0.0.1', namespace: 'wardle', pod: 'api-0', via: 'pod' } as const;
    const client = endpointClient(await clusterAt(url), endpoint, never);
    expect(await client.get({ path, timeoutMs: 5_000 })).toEqual({ status: 200, body: 'yes' });
    client.close();
    await vi.waitFor(() => expect(open.size).toBe(0));
  });

  test('keeps 64 kB of an endless answer', async () => {
    const { target } = await serving((_, response) => {
      const pour = (): void => {
        while (response.write('x'.repeat(10_000)));
      };
      response.on('drain', pour);
      pour();
    });
    const client = endpointClient(await clusterAt('http://127.0.0.1:1'), { ...direct, ...target }, never);
    const { body } = await client.get({ path, timeoutMs: 5_000 });
    client.close();
    expect(body).toHaveLength(64 * 1024);
  });

  test.each<[string, RequestListener]>([
    ['answers nothing', () => {}],
    [
      'trickles',
      (_, response) => {
        const timer = setInterval(() => response.write('x'), 10);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('ends after its time limit for a server that %s', async (_, handler) => {
    const { target } = await serving(handler);
    const client = endpointClient(await clusterAt('http://127.0.0.1:1'), { ...direct, ...target }, never);
    await expect(client.get({ path, timeoutMs: 100 })).rejects.toMatchObject({ message: 'timed out', cause: { name: 'TimeoutError' } });
    client.close();
  });

  test('fails when the port is closed', async () => {
    const client = endpointClient(await clusterAt('http://127.0.0.1:1'), { ...direct, address: '127.0.0.1', port: 1, serverName }, never);
    await expect(client.get({ path, timeoutMs: 5_000 })).rejects.toMatchObject({ message: 'connection refused' });
    client.close();
  });

  test('throws the reason of the signal', async () => {
    const stop = new AbortController();
    const reason = new DeadlineError('timed out');
    const { target } = await serving(() => stop.abort(reason));
    const client = endpointClient(await clusterAt('http://127.0.0.1:1'), { ...direct, ...target }, stop.signal);
    await expect(client.get({ path, timeoutMs: 5_000 })).rejects.toBe(reason);
    client.close();
  });
});
