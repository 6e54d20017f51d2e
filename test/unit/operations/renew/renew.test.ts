import { expect, test } from 'vitest';
import type { RenewRequest } from '../../../../src/operations/renew/request.ts';
import { planRenewal, renew } from '../../../../src/operations/renew.ts';
import { answer, clusterOf } from '../../cluster/kube-api.ts';
import { bundleOf } from '../../diagnosis/snapshots.ts';
import { day, now } from '../../pki/certificates.ts';
import { authority, leaf } from '../../project/sample.ts';
import { rotateRequest } from '../rotation/fixture.ts';
import { rejection } from '../waiting.ts';
import { apiService, fromCertificate, injectedCluster, registration } from './injected-cluster.ts';

const runs = [
  ['rotate', renew],
  ['rotate --dry-run', planRenewal],
] as const;

test.each(runs)('%s names only register where no API is registered', async (_, run) => {
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

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const { namespace } = registration.metadata;
const labels = { app: 'api' };
const stopped = { metadata: { name: 'server', namespace }, spec: { replicas: 0, template: { metadata: { labels } } } };
const tls = { 'tls.crt': base64(leaf.certificates), 'ca.crt': base64(authority.certificates) };

/**
 * `rotate --if-expires-within` where no certificate is due in a day and the Deployment is scaled to
 * 0, and the methods of its writes.
 */
async function runOf(lease: object | undefined, data: object = tls, run: typeof renew = renew, ifExpiresWithin = day) {
  const writes: string[] = [];
  const { where } = await injectedCluster({
    apiServices: [apiService('v1.x', fromCertificate, bundleOf())],
    disturb({ url, method }, response) {
      response.setHeader('date', now.toUTCString());
      const last = url.split('?')[0]?.split('/').at(-1) ?? '';
      if (last === 'selfsubjectaccessreviews') answer(response, 201, { status: { allowed: true } });
      else if (method !== 'GET') {
        writes.push(method);
        answer(response, method === 'POST' ? 201 : 200, { metadata: { name: last }, ...lease });
      } else if (['endpointslices', 'pods'].includes(last)) answer(response, 200, { metadata: {}, items: [] });
      else if (url.includes('/certificates/'))
        answer(response, 200, { metadata: { name: last }, status: { conditions: [{ type: 'Ready', status: 'True' }] } });
      else if (url.includes('/leases/') && lease) answer(response, 200, { metadata: { name: last }, ...lease });
      else if (url.includes('/services/')) answer(response, 200, { metadata: { name: last, namespace }, spec: { selector: labels } });
      else if (last === 'deployments') answer(response, 200, { metadata: {}, items: [stopped] });
      else if (/^api-(tls|ca)$/.test(last)) answer(response, 200, { metadata: { name: last, namespace }, data });
      else return false;
      return true;
    },
  });
  const request = { ...rotateRequest('x', { registration, ifExpiresWithin }), restart: 'never', soakMs: 0 } as const;
  const holder = { user: 'job', host: 'pod', id: '1' };
  return { writes, result: run(where.cluster, { ...request, holder }) };
}

test.each([
  ['nothing is written to the cluster', undefined, []],
  ['a Lease that another run left is taken over', { spec: {} }, ['PATCH', 'DELETE']],
])('while no certificate is due, %s', async (_, lease, wanted) => {
  const { writes, result } = await runOf(lease);
  expect(await result).toMatchObject({ outcome: 'not-due' });
  expect(writes).toEqual(wanted);
});

test.each([
  ['at once where there is no Lease', undefined, []],
  ['only with the Lease where another run may have removed it', { spec: {} }, ['PATCH', 'DELETE']],
])('a missing certificate is refused %s', async (_, lease, wanted) => {
  const { writes, result } = await runOf(lease, {});
  expect(await rejection(result)).toMatchObject({ message: expect.stringContaining('has no certificate yet') });
  expect(writes).toEqual(wanted);
});

test.each(runs)('%s of a certificate that is due refuses a Deployment that is scaled to 0', async (_, run) => {
  const { writes, result } = await runOf(undefined, tls, run, 30 * day);
  expect(await rejection(result)).toMatchObject({
    message: expect.stringMatching(/^Deployment example\/server is scaled to 0, .*\nnothing was changed$/),
  });
  // The Lease.
  expect(writes).toEqual(run === renew ? ['POST', 'DELETE'] : []);
});
