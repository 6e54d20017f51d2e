import type { ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { resources } from '../../../../src/cluster/resources.ts';
import { InterruptedError } from '../../../../src/errors.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import { concernsOf, watchChanges } from '../../../../src/operations/monitor/changes.ts';
import { answer, clusterOf, status } from '../../cluster/kube-api.ts';
import { healthy, snapshotOf } from '../../diagnosis/snapshots.ts';
import { rejection } from '../waiting.ts';

const objectOf = (kind: string, namespace: string | undefined, name: string, labels = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, labels, ...(namespace === undefined ? {} : { namespace }) },
});

describe('a change concerns the APIs', () => {
  const concerns = concernsOf(snapshotOf(healthy));
  test.each([
    ['of an APIService', objectOf('APIService', undefined, 'v1.other.example.com'), true],
    ['of the Service', objectOf('Service', 'wardle', 'api'), true],
    ['of its EndpointSlice', objectOf('EndpointSlice', 'wardle', 'api-x7k', { 'kubernetes.io/service-name': 'api' }), true],
    ['of another Service', objectOf('Service', 'wardle', 'web'), false],
    ['of the Service of the same name elsewhere', objectOf('Service', 'default', 'api'), false],
    ['of another EndpointSlice', objectOf('EndpointSlice', 'wardle', 'api-x7k', { 'kubernetes.io/service-name': 'web' }), false],
  ])('%s: %j', (_, object, expected) => {
    expect(concerns(object)).toBe(expected);
  });

  test('always, before the first run', () => {
    expect(concernsOf(undefined)(objectOf('Service', 'default', 'web'))).toBe(true);
  });
});

test('watches what is allowed, and says once what is not', async () => {
  const over = new AbortController();
  const asked: string[] = [];
  const cluster = await clusterOf(({ url }, response) => {
    asked.push(url);
    if (url.includes('/services?')) return answer(response, 403, status(403, 'Forbidden', 'no services'));
    if (!url.includes('watch=true')) return answer(response, 200, { metadata: { resourceVersion: '7' }, items: [] });
    response.writeHead(200, { 'content-type': 'application/json' });
    if (url.includes('/apiservices'))
      response.write(`${JSON.stringify({ type: 'MODIFIED', object: objectOf('APIService', undefined, 'v1.example.com') })}\n`);
  });
  const seen = new Promise<string>((change) => {
    const said = new Promise<string>((refuse) => {
      const ended = watchChanges({
        connect: async () => ({ ...cluster, close: () => {} }),
        concerns: ({ metadata }) => metadata.name === 'v1.example.com',
        onChange: () => change(said),
        onRefused: ({ message }) => refuse(message),
        signal: over.signal,
      });
      void rejection(ended);
    });
  });
  expect(await seen).toContain('list services');
  over.abort(new Error('over'));
  expect(asked.filter((url) => url.includes(resources.APIService.plural))).toEqual([
    '/apis/apiregistration.k8s.io/v1/apiservices?limit=1',
    expect.stringMatching(/apiservices\?watch=true&resourceVersion=7&timeoutSeconds=[3-6]\d\d&allowWatchBookmarks=true$/),
  ]);
});

test('a watch goes on from a bookmark after its end, lists again after 410, and is not repeated where it ends at once', async () => {
  const over = new AbortController();
  const asked: string[] = [];
  const cluster = await clusterOf(({ url }, response) => {
    const [, plural, query = ''] = /\/(\w+)\?(.*)$/.exec(url) ?? [];
    const since = /resourceVersion=(\d+)/.exec(query)?.[1];
    asked.push(`${plural} ${since ?? 'list'}`);
    if (since === undefined) return answer(response, 200, { metadata: { resourceVersion: '7' }, items: [] });
    if (since === '50') return answer(response, 410, status(410, 'Expired', 'too old resource version'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (plural === 'services') response.end();
    if (plural !== 'apiservices') return;
    response.write(`${JSON.stringify({ type: 'BOOKMARK', object: { kind: 'APIService', metadata: { resourceVersion: '50' } } })}\n`);
    // A shorter watch is a failure.
    setTimeout(() => response.end(), 1_100);
  });
  const ended = rejection(
    watchChanges({
      connect: async () => ({ ...cluster, close: () => {} }),
      concerns: () => true,
      onChange: () => asked.push('apiservices changed'),
      onRefused: ({ message }) => asked.push(message),
      signal: over.signal,
    }),
  );
  const askedOf = (plural: string) => asked.filter((each) => each.startsWith(`${plural} `));
  // A bookmark is no change. What 410 has hidden may be one, until the version of the list.
  const wanted = ['list', '7', '50', 'list', 'changed', '7'].map((each) => `apiservices ${each}`);
  await vi.waitFor(() => expect(askedOf('apiservices')).toEqual(wanted), { timeout: 10_000 });
  over.abort(new InterruptedError('SIGTERM'));
  expect(await ended).toBe(over.signal.reason);
  expect(askedOf('services')).toEqual(['services list', 'services 7']);
});

test('a watch that failed goes on from the last version, and only a missing permission is refused', async () => {
  // No pause before the next watch.
  vi.spyOn(Math, 'random').mockReturnValue(-1);
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  const over = new AbortController();
  const asked: string[] = [];
  const bookmark = (resourceVersion: string): string =>
    `${JSON.stringify({ type: 'BOOKMARK', object: { kind: 'APIService', metadata: { resourceVersion } } })}\n`;
  const answers: readonly ((response: ServerResponse) => void)[] = [
    (response) => answer(response, 200, { metadata: { resourceVersion: '7' }, items: [] }),
    // A token that has just been replaced.
    (response) => answer(response, 401, status(401, 'Unauthorized', 'Unauthorized')),
    (response) => response.end(`${bookmark('20')}${JSON.stringify({ type: 'ERROR', object: status(500, 'InternalError', 'etcd') })}\n`),
    (response) => response.write(bookmark('30'), () => response.destroy()),
    (response) => answer(response, 404, 'a proxy'),
    (response) => answer(response, 403, status(403, 'Forbidden', 'no APIServices')),
  ];
  const cluster = await clusterOf(({ url }, response) => {
    if (!url.includes('/apiservices?')) return response.flushHeaders();
    asked.push(/resourceVersion=(\d+)/.exec(url)?.[1] ?? 'list');
    answers[asked.length - 1]?.(response);
  });
  const refused = new Promise<string>((refuse) => {
    const ended = watchChanges({
      connect: async () => ({ ...cluster, close: () => {} }),
      concerns: () => true,
      onChange: () => {},
      onRefused: ({ message }) => refuse(message),
      signal: over.signal,
    });
    void rejection(ended);
  });
  expect(await refused).toContain('not allowed to watch apiservices');
  over.abort(new Error('over'));
  expect(asked).toEqual(['list', '7', '7', '20', '30', '30']);
});
