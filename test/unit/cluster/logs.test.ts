import { expect, test } from 'vitest';
import { lastLogLines } from '../../../src/cluster/logs.ts';
import { answer, clusterAt, clusterOf, never, type Received, status } from './kube-api.ts';

const log = { namespace: 'wardle', pod: 'api-0', container: 'server', previous: true, lines: 2 };

/** The result of an answer of kube-apiserver. */
const madeOf = async (code: number, body: unknown) =>
  lastLogLines(await clusterOf((_, response) => answer(response, code, body)), log, never);

test('reads the end of the log of one container', async () => {
  const received: Received[] = [];
  const cluster = await clusterOf((request, response) => {
    received.push(request);
    answer(response, 200, 'I0 start\nE1 no etcd\n\nexit\n\n\t\n');
  });
  expect(await lastLogLines(cluster, log, never)).toEqual({ kind: 'lines', lines: ['E1 no etcd', 'exit'] });
  expect(received.map(({ url }) => url)).toEqual([
    '/api/v1/namespaces/wardle/pods/api-0/log?container=server&previous=true&tailLines=22&limitBytes=360470',
  ]);
});

test('a log may be empty', async () => {
  expect(await madeOf(200, '')).toEqual({ kind: 'lines', lines: [] });
});

// The messages of Kubernetes 1.37.
test.each([
  [400, status(400, 'BadRequest', 'previous terminated container "server" in pod "api-0" not found'), /^previous terminated container/],
  [404, status(404, 'NotFound', 'pods "api-0" not found'), /^pods "api-0" not found$/],
  [204, '', /^the pod is not scheduled yet$/],
  [200, 'unable to retrieve container logs for containerd://4f1c', /^unable to retrieve container logs for containerd:\/\/4f1c$/],
  [500, status(500, 'InternalError', 'Get "https://10.0.0.1:10250/": EOF'), /10250/],
])('no log, with status %i', async (code, body, words) => {
  expect(await madeOf(code, body)).toEqual({ kind: 'none', words: expect.stringMatching(words) });
});

test('no log from a cluster that does not answer', async () => {
  expect(await lastLogLines(await clusterAt('http://127.0.0.1:1'), log, never)).toEqual({
    kind: 'none',
    words: expect.stringMatching(/^failed to connect to the cluster .*: connection refused$/),
  });
});

test('forbidden: names the missing permission', async () => {
  const message = 'pods "api-0" is forbidden: User "jane" cannot get resource "pods/log" in API group "" in the namespace "wardle"';
  expect(await madeOf(403, status(403, 'Forbidden', message))).toEqual({
    kind: 'forbidden',
    words: `not allowed to get pod/wardle/api-0/log: ${message}. Grant this RBAC rule: Role in namespace wardle: {apiGroups: [""], resources: [pods/log], verbs: [get]}`,
  });
});

test('ends with the reason of the signal', async () => {
  const reason = new Error('enough');
  await expect(lastLogLines(await clusterOf(() => {}), log, AbortSignal.abort(reason))).rejects.toBe(reason);
});
