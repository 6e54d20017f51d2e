import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { viewRotationLease } from '../../../../src/cluster/rotation-lease.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import { prepare } from '../../../../src/operations/rotate/prepare.ts';
import { readNextSet } from '../../../../src/operations/rotate/sets.ts';
import { certificateSet, serviceOf } from '../../../../src/operations/rotation/rotation.ts';
import { writeNext } from '../../../../src/project/generations.ts';
import { projectFiles } from '../../../../src/project/project.ts';
import { pathsOfSets } from '../../../../src/project/sets.ts';
import { answer, clusterOf } from '../../cluster/kube-api.ts';
import { now } from '../../pki/certificates.ts';
import { project, registration } from '../../project/sample.ts';
import { interruptedLease, issued, rotateRequest } from '../rotation/fixture.ts';
import { rejection } from '../waiting.ts';

test('a certificate that is damaged is not called lost, and is not restored', async () => {
  const dir = project();
  const { certificate } = projectFiles(dir);
  writeFileSync(certificate, 'damaged');
  const cluster = await clusterOf(({ url }) => expect.fail(`${url} is not needed`));
  const request = { ...rotateRequest(dir), now: () => now, renewLease: async () => {} };
  expect(await rejection(prepare(cluster, request, { journal: undefined }))).toMatchObject({
    message: `${certificate}: no certificate found\nnothing was changed`,
    fix: `Restore the file.\nOr move the file aside: mv ${certificate} ${certificate.replace('tls.crt', 'tls.old.crt')}\nThen run the same command again to restore it from the Secret.`,
  });
});

test.each(['leaf', 'ca'] as const)('a CA that is damaged is refused before certificates are issued: %s', async (kind) => {
  const dir = project();
  const { caCertificate } = projectFiles(dir);
  writeFileSync(caCertificate, 'damaged');
  const cluster = await clusterOf(({ url }) => expect.fail(`${url} is not needed`));
  const request = { ...rotateRequest(dir, { kind }), now: () => now, renewLease: async () => {} };
  const damaged = {
    message: `${caCertificate}: no certificate found\nnothing was changed`,
    fix: `Restore the file.\nOr move the file aside: mv ${caCertificate} ${caCertificate.replace('ca.crt', 'ca.old.crt')}\nThen run the same command again to restore it from the caBundle.`,
  };
  expect(await rejection(prepare(cluster, request, { journal: undefined }))).toMatchObject(damaged);
  writeNext(dir, { issued });
  for (const abort of [false, true]) {
    expect(await rejection(prepare(cluster, { ...request, abort }, { journal: undefined }))).toMatchObject(damaged);
  }
});

test('without pods, a rotation does not go on, and its way back does', async () => {
  const dir = project();
  writeNext(dir, { issued });
  const { leaf = '' } = certificateSet(issued) ?? {};
  const lease = interruptedLease({ oldCertificate: leaf, newCertificate: leaf }) as KubeObject;
  const { namespace, name } = serviceOf({ registration });
  const labels = { app: 'api' };
  const stopped = { metadata: { name, namespace }, spec: { replicas: 0, template: { metadata: { labels } } } };
  const cluster = await clusterOf(({ url }, response) => {
    if (url.includes('/services/')) return answer(response, 200, { metadata: { name, namespace }, spec: { selector: labels } });
    answer(response, 200, { metadata: { resourceVersion: '1' }, items: url.includes('/deployments') ? [stopped] : [] });
  });
  const going = (abort: boolean) =>
    prepare(cluster, { ...rotateRequest(dir, { abort }), now: () => now, renewLease: async () => {} }, viewRotationLease(lease));
  expect(await rejection(going(false))).toMatchObject({
    message: expect.stringContaining(`Deployment ${namespace}/${name} is scaled to 0`),
  });
  expect(await going(true)).toMatchObject({ rotation: { direction: 'back' } });
});

test('the way back knows the certificates in certs/next, also without their key', () => {
  const dir = project();
  writeNext(dir, { issued });
  const next = readNextSet(dir, registration, false);
  rmSync(join(pathsOfSets(dir).next, 'tls.key'));
  expect(() => readNextSet(dir, registration, false)).toThrow('is incomplete or damaged');
  expect(readNextSet(dir, registration, true)).toEqual({ ...next, key: undefined });
  rmSync(join(pathsOfSets(dir).next, 'ca.crt'));
  expect(readNextSet(dir, registration, true)).toBeUndefined();
});
