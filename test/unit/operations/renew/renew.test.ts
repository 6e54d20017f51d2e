import { expect, test } from 'vitest';
import type { RenewRequest } from '../../../../src/operations/renew/request.ts';
import { planRenewal, renew } from '../../../../src/operations/renew.ts';
import { answer, clusterOf } from '../../cluster/kube-api.ts';
import { rotateRequest } from '../rotation/fixture.ts';
import { rejection } from '../waiting.ts';
import { registration } from './injected-cluster.ts';

test.each([
  ['rotate', renew],
  ['rotate --dry-run', planRenewal],
])('%s names only register where no API is registered', async (_, run) => {
  const writes: string[] = [];
  const cluster = await clusterOf(({ method, url }, response) => {
    if (url.includes('/selfsubjectaccessreviews')) return answer(response, 201, { status: { allowed: true } });
    if (method !== 'GET') writes.push(`${method} ${url}`);
    answer(response, 200, { metadata: { resourceVersion: '1' }, items: [] });
  });
  const request: RenewRequest = { ...rotateRequest('x', { registration }), restart: 'auto', soakMs: 0 };
  expect(await rejection(run(cluster, request))).toMatchObject({
    message: 'no APIService points at Service example/api\nnothing was changed',
    fix: 'Register the API first: apisvc register',
  });
  expect(writes).toEqual([]);
});
