import { expect, test } from 'vitest';
import { collectContext } from '../../../../src/snapshot/collect/context.ts';
import { requestRepeatedly } from '../../../../src/snapshot/collect/repeated.ts';
import { answer, clusterOf, never, type Received } from '../../cluster/kube-api.ts';

/** Equal requests to an API with several endpoints. */

const path = '/apis/wardle.example.com/v1';

/** An answer: its status, and its body by default. */
type Reply = number | readonly [status: number, body: string];

/** @param replies the answers, in turn */
async function repeatedly(endpoints: number, ...replies: readonly Reply[]) {
  const requests: Received[] = [];
  const cluster = await clusterOf((request, response) => {
    const reply = replies[requests.length % replies.length] ?? 200;
    const [code, body] = typeof reply === 'number' ? [reply, 'text'] : reply;
    requests.push(request);
    answer(response, code, body);
  });
  const repeated = await requestRepeatedly(collectContext(cluster, never), { path, endpoints, each: 4 });
  return { repeated, count: requests.length, requests };
}

const counts = ({ repeated }: Awaited<ReturnType<typeof repeatedly>>) =>
  repeated.state === 'seen' ? repeated.value.map((each) => [each.answer, each.count]) : [];

test('equal answers are counted, with the status that was received', async () => {
  const found = await repeatedly(3, 200, 406, 200);
  expect(found.count).toBe(12);
  expect(counts(found)).toHaveLength(2);
  expect(counts(found)).toContainEqual([{ state: 'seen', value: { path, status: 200, body: '' } }, 8]);
  expect(counts(found)).toContainEqual([{ state: 'seen', value: { path, status: 406, body: 'text' } }, 4]);
});

test('each request is an ordinary one', async () => {
  const { requests } = await repeatedly(2, 200);
  expect(requests.map(({ headers }) => [headers.accept, headers.upgrade])).toEqual(Array(8).fill(['application/json', undefined]));
});

test('one endpoint is not asked repeatedly', async () => {
  expect(await repeatedly(1, 200)).toMatchObject({ repeated: { state: 'unseen', reason: 'skipped' }, count: 0 });
});

test('the number of requests is limited', async () => {
  expect((await repeatedly(30, 200)).count).toBe(12);
});
