import { expect, test } from 'vitest';
import { RefusedError } from '../../../src/errors.ts';
import { serviceOf } from '../../../src/operations/rotation/rotation.ts';
import { requireReplicas } from '../../../src/operations/service-pods.ts';
import { answer, clusterOf, never, status } from '../cluster/kube-api.ts';
import { registration } from '../project/sample.ts';
import { rejection } from './waiting.ts';

const { namespace, name } = serviceOf({ registration });
const labels = { app: 'api' };

const deployment = (name: string, replicas: number, podLabels: object = labels): object => ({
  metadata: { name, namespace },
  spec: { replicas, template: { metadata: { labels: podLabels } } },
});
const running = { metadata: { name: 'one' }, status: { phase: 'Running' } };
const ending = { metadata: { name: 'two', deletionTimestamp: '2026-11-28T10:00:00Z' }, status: { phase: 'Running' } };

/** Looks at a Service with these pods. Without Deployments, they may not be listed. */
async function require(pods: readonly object[], deployments?: readonly object[], selector: object = labels): Promise<unknown> {
  const cluster = await clusterOf(({ url }, response) => {
    const list = (items: readonly object[]): void => answer(response, 200, { metadata: { resourceVersion: '1' }, items });
    if (url.includes('/services/')) return answer(response, 200, { metadata: { name, namespace }, spec: { selector } });
    if (url.includes('/pods?')) return list(pods);
    if (url.includes('/deployments')) return deployments ? list(deployments) : answer(response, 403, status(403, 'Forbidden', 'no'));
    expect.fail(`${url} is not needed`);
  });
  return requireReplicas({ cluster, signal: never, registration });
}

test('a Deployment that is scaled to 0 is refused, also while its last pod ends', async () => {
  for (const pods of [[], [ending]]) {
    const error = await rejection(require(pods, [deployment('other', 1, {}), deployment('server', 0)]));
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({
      message: `Deployment ${namespace}/server is scaled to 0, so nothing would serve the certificate\nnothing was changed`,
      fix: `Scale the Deployment up before you run the same command again: kubectl -n ${namespace} scale deployment/server --replicas=1`,
    });
  }
});

test.each<[string, Parameters<typeof require>]>([
  ['a pod runs', [[ending, running], [deployment('server', 0)]]],
  ['a Deployment starts its pods', [[], [deployment('old', 0), deployment('new', 1)]]],
  ['no Deployment has the pods', [[], [deployment('other', 0, {})]]],
  ['the Deployments may not be listed', [[], undefined]],
  ['the Service selects no pods', [[], [deployment('server', 0)], {}]],
])('nothing is refused where %s', async (_, given) => {
  expect(await require(...given)).toBeUndefined();
});
