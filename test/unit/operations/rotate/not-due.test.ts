import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { secretName } from '../../../../src/config/registration.ts';
import { RefusedError } from '../../../../src/errors.ts';
import { rotate } from '../../../../src/operations/rotate.ts';
import { certificateSet, serviceOf } from '../../../../src/operations/rotation/rotation.ts';
import { answer, clusterOf, notFound } from '../../cluster/kube-api.ts';
import { day } from '../../pki/certificates.ts';
import { project, registration } from '../../project/sample.ts';
import { interruptedLease, issued, rotateRequest } from '../rotation/fixture.ts';
import { rejection } from '../waiting.ts';

/** `rotate --if-expires-within` where every certificate is valid for longer. */

const notAfter = Date.parse(certificateSet(issued)?.presented[0]?.notAfter ?? '');

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A cluster with the certificate of the project, and what is written to it. */
async function clusterWith(lease?: object) {
  const writes: string[] = [];
  const service = serviceOf({ registration });
  const cluster = await clusterOf(({ method, url, body }, response) => {
    response.setHeader('date', new Date(notAfter - 5 * day).toUTCString());
    if (url.includes('selfsubjectaccessreviews')) return answer(response, 201, { status: { allowed: true } });
    if (method !== 'GET') {
      writes.push(`${method} ${url.split('?')[0]}`);
      return answer(response, method === 'POST' ? 201 : 200, { ...(lease ?? {}), ...JSON.parse(body || '{}') });
    }
    if (url.includes('/leases/')) return answer(response, lease ? 200 : 404, lease ?? notFound(url));
    if (url.includes('/secrets/')) {
      const data = { 'tls.crt': base64(issued.chain), 'tls.key': base64(issued.key.reveal()) };
      return answer(response, 200, { metadata: { name: secretName(registration) }, data });
    }
    const api = {
      metadata: { name: 'v1.example.com' },
      spec: { service, caBundle: base64(issued.anchors.map(({ pem }) => pem).join('')) },
    };
    return answer(response, 200, { metadata: { resourceVersion: '1' }, items: [api] });
  });
  return { cluster, writes };
}

const run = (where: Awaited<ReturnType<typeof clusterWith>>, dir: string) =>
  rotate(where.cluster, rotateRequest(dir, { ifExpiresWithin: 4 * day, restart: 'never', holder: { user: 'job', host: 'pod', id: '1' } }));

test('nothing is written to the cluster', async () => {
  const where = await clusterWith();
  expect(await run(where, project())).toMatchObject({ outcome: 'not-due' });
  expect(where.writes).toEqual([]);
});

test('a rotation that is not complete is continued, or refused', async () => {
  const refused = await rejection(run(await clusterWith(interruptedLease({ newCertificate: 'other' })), project()));
  expect(refused).toBeInstanceOf(RefusedError);
  expect(refused).toMatchObject({ message: expect.stringContaining('is not complete (step 2 of 4: Writing)') });
});

test('files are restored, and leftovers removed, only by the holder of the Lease', async () => {
  const dir = project();
  const [certificate, leftover] = [join(dir, 'certs', 'tls.crt'), join(dir, 'certs', 'next.tmp')];
  rmSync(certificate);
  const lost = await clusterWith();
  expect(await run(lost, dir)).toMatchObject({ outcome: 'not-due', isRestored: true });
  expect(existsSync(certificate)).toBe(true);

  mkdirSync(leftover);
  const left = await clusterWith();
  expect(await run(left, dir)).toMatchObject({ outcome: 'not-due', isRestored: false });
  expect(existsSync(leftover)).toBe(false);
  for (const { writes } of [lost, left])
    expect(writes).toEqual([expect.stringMatching(/^POST .*\/leases$/), expect.stringMatching(/^DELETE .*\/leases\/apisvc-rotation-/)]);
});
