import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKubelet } from '../../../../src/sandbox/node/kubelet.ts';
import { createLog } from '../../../../src/sandbox/node/log.ts';
import type { PodRegistry } from '../../../../src/sandbox/node/registry.ts';
import { containerOf, onNode, podOf } from './objects.ts';

const pods: PodRegistry = new Map();
const log = createLog(() => {});
let server: Server;
let origin: string;

const listening = (each: Server): Promise<number> =>
  new Promise((resolve) => each.listen(0, '127.0.0.1', () => resolve((each.address() as AddressInfo).port)));

beforeAll(async () => {
  server = createServer(createKubelet(pods));
  origin = `http://127.0.0.1:${await listening(server)}`;
  const container = containerOf({
    declaredPort: 8443,
    port: 8443,
    state: { kind: 'running', startedAt: new Date(), log },
  });
  pods.set('uid', onNode(podOf('pod'), container));
  log.write('one\ntwo\nthree\n');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('the log of a container', () => {
  const path = '/containerLogs/ns/pod/server';

  test.each([
    ['', 'one\ntwo\nthree\n'],
    ['?tailLines=1', 'three\n'],
    ['?tailLines=0', ''],
    ['?tailLines=9', 'one\ntwo\nthree\n'],
  ])('%s', async (query, body) => {
    const answer = await fetch(origin + path + query);
    expect([answer.status, await answer.text()]).toEqual([200, body]);
  });

  test('is followed until the run ends', async () => {
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
  ])('%s is answered with %i', async (url, status, message) => {
    const answer = await fetch(origin + url);
    expect([answer.status, await answer.text()]).toEqual([status, message]);
  });
});

test.each(['//', '/%zz', '/containerLogs/%zz/pod/server'])('rejects the malformed URL %s', async (path) => {
  const { port } = new URL(origin);
  const socket = connect(Number(port), '127.0.0.1');
  socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /);
});
