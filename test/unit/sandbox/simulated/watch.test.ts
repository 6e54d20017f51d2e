import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { requestInfoOf } from '../../../../src/sandbox/shared/request-info.ts';
import { kindOf } from '../../../../src/sandbox/simulated/kinds.ts';
import { createStore } from '../../../../src/sandbox/simulated/store.ts';
import type { Kind, Obj } from '../../../../src/sandbox/simulated/types.ts';
import { answerWatch } from '../../../../src/sandbox/simulated/watch.ts';
import { configMap, type Running, startRunning } from './running.ts';

let running: Running;
beforeAll(async () => {
  running = await startRunning();
});
afterAll(() => running.stop());

const maps = '/api/v1/namespaces/default/configmaps';
const create = (name: string, labels: Obj = {}) => running.ask(`POST ${maps}`, { body: configMap(name, { labels }) });
const label = (name: string, labels: Obj) =>
  running.ask(`PATCH ${maps}/${name}`, { body: { metadata: { labels } }, headers: { 'content-type': 'application/merge-patch+json' } });
const version = async (): Promise<string> => (await running.ask(`GET ${maps}`)).json.metadata.resourceVersion;
const briefly = (events: Obj[]): string[] => events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim());

test('current objects, then changes', async () => {
  await create('first', { in: 'one' });
  const watch = await running.watch(`${maps}?watch=true&labelSelector=in%3Done`);
  await create('second', { in: 'one' });
  await create('elsewhere', { in: 'two' });
  await running.ask(`DELETE ${maps}/first`);
  expect(briefly(await watch.until(3))).toEqual(['ADDED first', 'ADDED second', 'DELETED first']);
  watch.close();
});

test('an object that leaves the selection is sent as DELETED, in its last selected state', async () => {
  await create('moving', { at: 'home' });
  const watch = await running.watch(`${maps}?watch=true&resourceVersion=${await version()}&labelSelector=at%3Dhome`);
  await label('moving', { at: 'away' });
  await label('moving', { more: 'unseen' });
  await label('moving', { at: 'home' });
  const [left, back] = await watch.until(2);
  expect(left).toMatchObject({ type: 'DELETED', object: { metadata: { labels: { at: 'home' } } } });
  expect(back).toMatchObject({ type: 'ADDED', object: { metadata: { labels: { at: 'home', more: 'unseen' } } } });
  expect(Number(back.object.metadata.resourceVersion)).toBe(Number(left.object.metadata.resourceVersion) + 2);
  watch.close();
});

test('changes since an earlier version', async () => {
  const since = await version();
  await create('meanwhile');
  const watch = await running.watch(`${maps}?watch=true&resourceVersion=${since}`);
  expect(briefly(await watch.until(1))).toEqual(['ADDED meanwhile']);
  watch.close();
});

test('a bookmark follows the initial events (KEP-3157)', async () => {
  const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=none';
  const watch = await running.watch(`${maps}?${query}`);
  const [bookmark] = await watch.until(1);
  expect(bookmark).toEqual({
    type: 'BOOKMARK',
    object: {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { resourceVersion: await version(), annotations: { 'k8s.io/initial-events-end': 'true' } },
    },
  });
  watch.close();
});

test('a version that is too old is an ERROR event', async () => {
  const kind = kindOf('', 'ConfigMap') as Kind;
  const now = () => new Date();
  const store = createStore(now);
  const object = store.create(kind, configMap('busy', { namespace: 'default' }));
  for (let count = 0; count < 2_001; count++)
    store.update(kind, { ...object, metadata: { name: 'busy', namespace: 'default' }, data: { count } });
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const user = { name: 'test', groups: [], extra: {} };
    const call = { request, response, url, user, info: requestInfoOf('GET', url) };
    answerWatch({ store, now, signal: new AbortController().signal }, call, kind);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}${maps}?watch=true&resourceVersion=1`);
  expect(await answer.json()).toMatchObject({
    type: 'ERROR',
    object: { reason: 'Expired', code: 410, message: 'too old resource version: 1 (2002)' },
  });
  server.close();
});

test('a table for each event', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const watch = await running.watch(`${maps}?watch=true&resourceVersion=${await version()}`, { accept });
  await create('row');
  await label('row', { a: 'b' });
  const [first, second] = (await watch.until(2)).map(({ object }) => object);
  expect(first).toMatchObject({
    kind: 'Table',
    columnDefinitions: [{ name: 'Name' }, { name: 'Age' }],
    rows: [{ cells: ['row', '0s'] }],
  });
  expect(second).toMatchObject({ kind: 'Table', rows: [{ cells: ['row', '0s'] }] });
  watch.close();
});

test('it ends after timeoutSeconds, and later changes do no harm', async () => {
  const watch = await running.watch(`${maps}?watch=true&resourceVersion=${await version()}&timeoutSeconds=1`);
  await watch.ended;
  expect((await create('after')).status).toBe(201);
  expect(watch.events).toEqual([]);
});
