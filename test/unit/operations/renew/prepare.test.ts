import { expect, test } from 'vitest';

import { prepareRenewal, renewalNeeds } from '../../../../src/operations/renew/prepare.ts';
import type { TimedRenewal } from '../../../../src/operations/renew/request.ts';
import { answer } from '../../cluster/kube-api.ts';
import { bundleOf } from '../../diagnosis/snapshots.ts';
import { authority, leaf } from '../../project/sample.ts';
import { rotateRequest } from '../rotation/fixture.ts';
import { apiService, bothSecret, fromBoth, fromCertificate, injectedCluster, registration } from './injected-cluster.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const { namespace, name } = registration.metadata;

/**
 * What `rotate --if-expires-within 1d` does, where nothing expires; without the CA that signs, what
 * `rotate` does.
 */
async function prepared(annotations: object, secret: ReturnType<typeof bothSecret> | undefined, hasSigner = true) {
  const apiServices = [apiService('v1.x', annotations, bundleOf())];
  const tls = { 'tls.crt': base64(leaf.certificates), 'ca.crt': base64(authority.certificates) };
  const objects: Readonly<Record<string, object>> = {
    'api-tls': { data: tls },
    ...(hasSigner ? { [`${name}-ca`]: { data: { 'tls.crt': base64(authority.certificates) } } } : {}),
  };
  const { where, progress } = await injectedCluster({
    ...{ apiServices, secret },
    disturb({ url }, response) {
      const last = url.split('?')[0]?.split('/').at(-1) ?? '';
      const isCertificate = url.includes('/certificates/');
      const body = isCertificate ? { status: { conditions: [{ type: 'Ready', status: 'True' }] } } : objects[last];
      const isList = ['endpointslices', 'pods'].includes(last);
      if (isList) answer(response, 200, { metadata: {}, items: [] });
      if (body) answer(response, 200, { metadata: { name: last, namespace }, ...body });
      return isList || body !== undefined;
    },
  });
  const request = {
    ...rotateRequest('x', { registration, ...(hasSigner ? { ifExpiresWithin: 86_400_000 } : {}) }),
    ...where,
  } as unknown as TimedRenewal;
  const found = await prepareRenewal(where.cluster, { ...request, dryRun: true, restart: 'auto', soakMs: 0 });
  return { steps: found.steps.map(({ id }) => id), notes: progress.map((each) => ('what' in each ? each.what : '')) };
}

test('an interrupted rotation of the CA is continued, though nothing expires', async () => {
  const { steps, notes } = await prepared(fromBoth, bothSecret(''));
  expect(steps.join()).toBe('trust-both,uptake,renew,endpoints,soak,trust-new');
  expect(notes).toEqual([
    `the caBundle still has a CA other than the one in Secret ${namespace}/api-tls; continuing the rotation of the CA`,
  ]);
});

test('of a rotation that was killed before its last request, only the Secret is removed', async () => {
  const { steps, notes } = await prepared(fromCertificate, bothSecret(''));
  expect(steps.join()).toBe('renew,endpoints,trust-new');
  expect(notes).toEqual([`Secret ${namespace}/api-tls-both-cas still exists; continuing the rotation of the CA`]);
});

test('the Secret stays where the CA that signs cannot be read', async () => {
  const { steps, notes } = await prepared(fromCertificate, bothSecret(''), false);
  expect(steps.join()).toBe('renew,endpoints');
  expect(notes).toEqual([expect.stringMatching(/^not checked: whether the CA of the issuer changed/)]);
});

test('a CA that is renewed already needs no permission to renew it', () => {
  const request = { ...rotateRequest('x', { registration, kind: 'ca' }), soakMs: 0 };
  const cluster = {} as Parameters<typeof renewalNeeds>[0];
  const patched = (renewsCa?: boolean) =>
    renewalNeeds(cluster, request, renewsCa).flatMap(({ verb, ref }) =>
      verb === 'patch' && ref.resource.subresource === 'status' ? [ref.name] : [],
    );
  expect(patched()).toEqual([`${name}-ca`, 'api-tls']);
  expect(patched(false)).toEqual(['api-tls']);
});
