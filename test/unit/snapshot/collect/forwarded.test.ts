import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { collectContext } from '../../../../src/snapshot/collect/context.ts';
import { getForwarded } from '../../../../src/snapshot/collect/requests.ts';
import { answer, clusterOf, never } from '../../cluster/kube-api.ts';

/** Requests that kube-apiserver forwards, and their incomplete answers. */

const path = '/apis/wardle.example.com/v1alpha1';

/** @param version how kube-apiserver answers GET /version */
async function forwarded(respond: (response: ServerResponse) => void, version: (response: ServerResponse) => unknown = ok) {
  const cluster = await clusterOf(({ url }, response) => (url === '/version' ? version(response) : respond(response)));
  return getForwarded(collectContext(cluster, never), path);
}

const ok = (response: ServerResponse) => answer(response, 200, {});

function cutOff(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('{"kind":', () => response.destroy());
}

describe('an answer', () => {
  test('that ends early is a fault of the server', async () => {
    expect(await forwarded(cutOff)).toMatchObject({
      state: 'unseen',
      reason: 'unreachable',
      fault: { kind: 'cut-off', received: { status: 200, bytes: 8 } },
    });
  });

  test('that does not come at all is a fault of the server', async () => {
    expect(await forwarded((response) => response.destroy())).toMatchObject({ fault: { kind: 'cut-off' } });
  });

  test('that ends early is no fault of the server if kube-apiserver does not answer either', async () => {
    const found = await forwarded(cutOff, (response) => response.destroy());
    expect(found).toMatchObject({ state: 'unseen', reason: 'unreachable' });
    expect(found).not.toHaveProperty('fault');
  });

  test('that is complete and fast has no duration', async () => {
    expect(await forwarded(ok)).toEqual({ state: 'seen', value: { path, status: 200, body: '{}' } });
  });

  test('with headers and then silence is stalled', { timeout: 20_000 }, async () => {
    const found = await forwarded((response) => void response.writeHead(200).write('{'));
    expect(found).toMatchObject({
      words: 'no complete response within 10 s',
      fault: { kind: 'stalled', received: { status: 200, bytes: 1 } },
    });
  });
});
