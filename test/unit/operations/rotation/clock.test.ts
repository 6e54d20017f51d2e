import { expect, test } from 'vitest';
import { RefusedError } from '../../../../src/errors.ts';
import { planRotation, rotate } from '../../../../src/operations/rotate.ts';
import { validityFault } from '../../../../src/operations/rotation/clock.ts';
import { requireWayBack } from '../../../../src/operations/rotation/preconditions.ts';
import type { RotateRequest } from '../../../../src/operations/rotation/request.ts';
import { type CertificateSet, certificateSet, serviceOf } from '../../../../src/operations/rotation/rotation.ts';
import { writeNext } from '../../../../src/project/generations.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';
import { day, now } from '../../pki/certificates.ts';
import { project, registration } from '../../project/sample.ts';
import { rejection } from '../waiting.ts';
import { issued, rotateRequest } from './fixture.ts';

/** kube-apiserver verifies certificates by its own clock, so that clock decides. */

const set = certificateSet(issued) as CertificateSet;
const minute = 60_000;

/** A cluster whose clock is ahead, and the requests that change something. */
async function skewed(aheadMs: number, chain?: string) {
  const writes: string[] = [];
  const cluster = await clusterOf(({ method, url, body }, response) => {
    response.setHeader('date', new Date(Date.now() + aheadMs).toUTCString());
    const isReview = url.includes('selfsubjectaccessreviews');
    if (method !== 'GET' && !isReview) writes.push(`${method} ${url} ${body}`);
    if (isReview) return answer(response, 201, { status: { allowed: true } });
    if (url.includes('/leases/')) return answer(response, 404, notFound(url));
    if (url.includes('/secrets/') && chain) {
      const data = { 'tls.crt': Buffer.from(chain).toString('base64') };
      return answer(response, 200, { metadata: { name: 'api-tls' }, data });
    }
    const api = { metadata: { name: 'v1.example.com' }, spec: { service: serviceOf({ registration }), insecureSkipTLSVerify: true } };
    return answer(response, 200, { metadata: { resourceVersion: '1' }, items: [api] });
  });
  return { cluster, writes };
}

const request = (dir: string, more: Partial<RotateRequest> = {}) => rotateRequest(dir, { restart: 'never', ...more });

const bothTimes =
  /^the clock of this machine shows \d{4}-\S+Z, but the clock of kube-apiserver shows \d{4}-\S+Z \(http:\S+, context "test"\)\na certificate issued on this machine may not be valid in the cluster\nnothing was changed$/;

test.each([
  ['behind', 17 * minute],
  ['ahead', -17 * minute],
  ['years ahead', -4_000 * day],
])('no rotation starts on a machine whose clock is %s', async (_, aheadMs) => {
  const { cluster, writes } = await skewed(aheadMs);
  const refused = await rejection(rotate(cluster, request(project())));
  expect(refused).toBeInstanceOf(RefusedError);
  expect(refused).toMatchObject({ exitCode: 1, message: expect.stringMatching(bothTimes) });
  expect(writes).toEqual([]);
  await expect(planRotation(cluster, request(project(), { dryRun: true }))).rejects.toThrow(bothTimes);
});

test('a rotation that is pending, or not due by the clock of kube-apiserver, issues nothing and may go on', async () => {
  const { cluster } = await skewed(17 * minute);
  const dir = project();
  writeNext(dir, { issued });
  for (const abort of [false, true]) {
    await expect(planRotation(cluster, request(dir, { abort }))).rejects.not.toThrow(bothTimes);
  }
  const ahead = Date.parse(set.presented[0]?.notAfter ?? '') - Date.now() - 5 * day;
  const due = (days: number) => planWithin(ahead, days);
  expect(await due(4)).toMatchObject({ outcome: 'not-due' });
  await expect(due(6)).rejects.toThrow(bothTimes);
});

const planWithin = async (aheadMs: number, days: number) =>
  planRotation((await skewed(aheadMs, issued.chain)).cluster, request(project(), { ifExpiresWithin: days * day }));

test.each([
  ['before it starts', -day, 'forward', /^the new certificate is not valid before \S+, and the clock of kube-apiserver shows /],
  ['after its end', 11 * day, 'back', /^the old certificate expired on \S+, and the clock of kube-apiserver shows /],
] as const)('a certificate is not written %s', (_, ms, direction, message) => {
  const at = (time: number) => validityFault({ to: set, direction, now: () => new Date(time) });
  expect(at(now.getTime() + ms)?.message).toMatch(message);
  expect(at(now.getTime() + day)).toBeUndefined();
});

test('an expired CA has no way back, by the clock of kube-apiserver', async () => {
  const { cluster } = await skewed(0);
  const where = { cluster, registration, signal: never, now: () => new Date(now.getTime() + 101 * day) };
  await expect(requireWayBack(where, set)).rejects.toThrow('the old CA has expired');
  await expect(requireWayBack({ ...where, now: () => now }, set)).rejects.toThrow('the old CA is no longer in any caBundle');
  await expect(requireWayBack(where, { ...set, anchors: [] })).rejects.toThrow('the old CA is no longer in any caBundle');
});
