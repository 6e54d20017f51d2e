import { describe, expect, test } from 'vitest';
import { Exit } from '../../../../src/errors.ts';
import { takeSnapshot } from '../../../../src/snapshot/collect/snapshot.ts';
import type { ApiSnapshot } from '../../../../src/snapshot/types.ts';
import { answer, clusterOf, never, notFound, status } from '../../cluster/kube-api.ts';

/**
 * The snapshot of an API whose path answers 403.
 * @param review - the answer to a SelfSubjectAccessReview
 */
async function aggregated(review: { readonly code: number; readonly body: object }) {
  const asked: object[] = [];
  const cluster = await clusterOf(({ method, url, body }, response) => {
    if (method === 'POST' && url.endsWith('/selfsubjectaccessreviews')) {
      const { spec } = JSON.parse(body);
      if (spec.nonResourceAttributes) asked.push(spec);
      return answer(response, review.code, review.body);
    }
    return url === '/apis/example.com/v1'
      ? answer(response, 403, status(403, 'Forbidden', 'forbidden: User "jane" cannot get path "/apis/example.com/v1"'))
      : answer(response, 404, notFound(url));
  });
  const { apis } = await takeSnapshot(cluster, { names: ['v1.example.com'] }, {}, never);
  return { aggregated: (apis[0] as ApiSnapshot).aggregated, asked };
}

describe('a 403 through the aggregator', () => {
  test('comes from the server when RBAC allows the path', async () => {
    const { aggregated: found, asked } = await aggregated({ code: 201, body: { status: { allowed: true } } });
    expect(found).toMatchObject({ state: 'seen', value: { path: '/apis/example.com/v1', status: 403 } });
    expect(asked).toEqual([{ nonResourceAttributes: { path: '/apis/example.com/v1', verb: 'get' } }]);
  });

  test('is a missing permission when RBAC does not', async () => {
    const { aggregated: found } = await aggregated({ code: 201, body: { status: { allowed: false } } });
    expect(found).toEqual({
      state: 'unseen',
      reason: 'forbidden',
      words:
        'forbidden: User "jane" cannot get path "/apis/example.com/v1". Grant this RBAC rule: ClusterRole: {nonResourceURLs: ["/apis/example.com/v1"], verbs: [get]}',
    });
  });

  test('is a missing permission too when the review is forbidden', async () => {
    const { aggregated: found } = await aggregated({ code: 403, body: status(403, 'Forbidden', 'User "jane" cannot create') });
    expect(found).toMatchObject({ state: 'unseen', reason: 'forbidden' });
  });

  test('ends the snapshot for system:anonymous, because the kubeconfig has no valid credentials', async () => {
    const review = { code: 403, body: status(403, 'Forbidden', 'User "system:anonymous" cannot create') };
    await expect(aggregated(review)).rejects.toMatchObject({
      exitCode: Exit.unreachable,
      message: expect.stringContaining('User "system:anonymous" cannot create'),
      fix: expect.stringMatching(/^The kubeconfig has no valid credentials for user "test", /),
    });
  });
});
