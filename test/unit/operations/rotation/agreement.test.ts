import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Journal } from '../../../../src/cluster/rotation-lease.ts';
import { apiServiceNames, secretName } from '../../../../src/config/registration.ts';
import { UsageError } from '../../../../src/errors.ts';
import { prepare } from '../../../../src/operations/rotate/prepare.ts';
import { setInCluster } from '../../../../src/operations/rotate/set-in-cluster.ts';
import { planRotation } from '../../../../src/operations/rotate.ts';
import { requireAgreement } from '../../../../src/operations/rotation/preconditions.ts';
import type { RotateRequest } from '../../../../src/operations/rotation/request.ts';
import { certificateSet, serviceOf } from '../../../../src/operations/rotation/rotation.ts';
import { anchorsIn } from '../../../../src/pki/anchors.ts';
import { createAuthority } from '../../../../src/pki/authority.ts';
import { issueServing } from '../../../../src/pki/leaf.ts';
import type { Authority } from '../../../../src/pki/types.ts';
import { writeNext } from '../../../../src/project/generations.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';
import { listening, tlsServer } from '../../cluster/listening.ts';
import { day, now } from '../../pki/certificates.ts';
import { authority, leaf, names, project, registration } from '../../project/sample.ts';
import { rejection } from '../waiting.ts';
import { interruptedLease, rotateRequest } from './fixture.ts';

type Certificates = Awaited<ReturnType<typeof issueServing>>;
const signedBy = (ca: Authority): Promise<Certificates> =>
  issueServing({ authority: ca, names, keyType: 'ecdsa-p256', lifetimeMs: 10 * day, now });
const setOf = (ca: Pick<Authority, 'certificates'>, { certificates, key }: Certificates) => ({
  chain: certificates,
  key,
  anchors: anchorsIn(ca.certificates, 'current'),
});
const fingerprint = (set: ReturnType<typeof setOf>): string => certificateSet(set)?.leaf ?? '';

const inUse = setOf(authority, leaf);
const pending = setOf(authority, await signedBy(authority));
const otherCa = await createAuthority({ commonName: 'CA 2', keyType: 'ecdsa-p256', lifetimeMs: 100 * day, now });
/** What somebody else rotated to. */
const foreign = setOf(otherCa, await signedBy(otherCa));

/** The same, while both CAs are trusted. */
const both = { ...foreign, anchors: [...foreign.anchors, ...inUse.anchors] };

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const bundleOf = ({ anchors }: typeof inUse): string => base64(anchors.map(({ pem }) => pem).join(''));

const [registered = ''] = apiServiceNames(registration);

/**
 * A cluster with one APIService, its Secret, and the Lease of a rotation that did not end.
 * @param endpoint what the Service leads to
 */
const clusterWith = (
  set: typeof inUse,
  journal?: Partial<Journal>,
  trusted: typeof inUse = set,
  endpoint?: { readonly address: string; readonly port: number },
  name = registered,
  managedFields: readonly object[] = [],
) =>
  clusterOf(({ url }, response) => {
    const service = serviceOf({ registration });
    const { port } = registration.spec.service;
    if (url.includes('/services/')) {
      return answer(response, 200, { metadata: service, spec: { ports: [{ port, targetPort: endpoint?.port ?? port }] } });
    }
    if (url.includes('/endpointslices')) {
      const slice = { metadata: { name: 'api-1' }, endpoints: [{ addresses: [endpoint?.address] }], ports: [{ port: endpoint?.port }] };
      return answer(response, 200, { metadata: { resourceVersion: '1' }, items: endpoint ? [slice] : [] });
    }
    if (url.includes('/leases/')) {
      answer(response, journal ? 200 : 404, journal ? interruptedLease(journal) : notFound(url));
    } else if (url.includes('/secrets/')) {
      const data = { 'tls.crt': base64(set.chain), 'tls.key': base64(set.key.reveal()) };
      answer(response, 200, { metadata: { name: secretName(registration), namespace: service.namespace, managedFields }, data });
    } else {
      const api = { metadata: { name }, spec: { service, caBundle: bundleOf(trusted) } };
      answer(response, 200, { metadata: { resourceVersion: '1' }, items: [api] });
    }
  });

const withNext = (): string => {
  const dir = project();
  writeNext(dir, { issued: pending });
  return dir;
};

describe('pending certificates that no Lease describes', () => {
  test.each([false, true])('are refused in a cluster that somebody else rotated (abort: %s)', async (abort) => {
    const dir = withNext();
    const refused = await rejection(planRotation(await clusterWith(foreign), rotateRequest(dir, { abort })));
    expect(refused).toMatchObject({
      message: expect.stringContaining('the project differs from the cluster'),
      fix: expect.stringContaining(`delete them: rm -r ${join(dir, 'certs', 'next')}`),
    });
  });

  test.each([
    ['the old', inUse],
    ['the pending', pending],
  ])('are continued in a cluster that has %s certificate', async (_, set) => {
    const [current, next] = [certificateSet(inUse), certificateSet(pending)];
    if (!current) throw new Error('no certificate');
    const where = { cluster: await clusterWith(set), registration, dir: 'demo', signal: never, now: () => now };
    await requireAgreement(where, current, { set: next, path: 'certs/next' });
  });
});

test('the fix for a Secret that another manager changed is to overwrite it', async () => {
  const entry = (manager: string, operation: string) => ({ manager, operation, fieldsV1: { 'f:data': { 'f:tls.crt': {} } } });
  const managedFields = [{ ...entry('apisvc', 'Apply'), fieldsV1: { 'f:data': { 'f:tls.key': {} } } }, entry('kubectl-patch', 'Update')];
  const broken = { ...inUse, chain: 'x' };
  const cluster = await clusterWith(broken, undefined, inUse, undefined, registered, managedFields);
  const current = certificateSet(inUse);
  if (!current) throw new Error('no certificate');
  const refused = await rejection(requireAgreement({ cluster, registration, dir: 'demo', signal: never, now: () => now }, current));
  expect(refused).toMatchObject({
    message: expect.stringContaining('holds no certificate, not the certificate in certs/tls.crt'),
    fix: 'See the differences: apisvc status\nOr register the project again: apisvc register --only secrets --force-conflicts',
  });
});

test.each([
  [registered, 'Or register the project again: apisvc register'],
  [
    'v1.theirs',
    'apiservice/v1.theirs is not part of the project. Add the CA in certs/ca.crt to its caBundle, or point it at another Service: kubectl edit apiservice v1.theirs',
  ],
])('the fix for a caBundle without the CA depends on whether the project has the APIService: %s', async (name, fix) => {
  const cluster = await clusterWith(inUse, undefined, foreign, undefined, name);
  const current = certificateSet(inUse);
  if (!current) throw new Error('no certificate');
  const refused = await rejection(requireAgreement({ cluster, registration, dir: 'demo', signal: never, now: () => now }, current));
  expect(refused).toMatchObject({
    message: `the project differs from the cluster: the caBundle of apiservice/${name} lacks the CA in certs/ca.crt\nnothing was changed`,
    fix: `See the differences: apisvc status\n${fix}`,
  });
});

describe('certificates in use that the Lease calls new', () => {
  const newCertificate = fingerprint(inUse);

  test('need only the checks at the end where the cluster has them', async () => {
    const result = await planRotation(await clusterWith(inUse, { newCertificate }), rotateRequest(project()));
    expect(result).toMatchObject({ outcome: 'planned', kind: 'leaf', steps: [{ id: 'verify', state: 'pending' }] });
  });

  test('are refused where the cluster does not have them', async () => {
    const refused = await rejection(planRotation(await clusterWith(foreign, { newCertificate }), rotateRequest(project())));
    expect(refused).toMatchObject({ message: expect.stringContaining('the project differs from the cluster') });
  });

  test('are no answer to --ca, if only the serving certificate is new', async () => {
    const refused = await rejection(planRotation(await clusterWith(inUse, { newCertificate }), rotateRequest(project(), { kind: 'ca' })));
    expect(refused).toMatchObject({ message: expect.stringContaining('a rotation of the serving certificate is in progress') });
  });
});

test('a lost key is not restored where there is nothing to abort', async () => {
  const dir = project();
  rmSync(join(dir, 'certs', 'tls.key'));
  expect(await planRotation(await clusterWith(inUse), rotateRequest(dir, { abort: true }))).toMatchObject({ outcome: 'nothing-to-abort' });
  expect(existsSync(join(dir, 'certs', 'tls.key'))).toBe(false);
});

describe('lost files', () => {
  const without = (...lost: readonly string[]): string => {
    const dir = project();
    for (const each of lost) rmSync(join(dir, 'certs', each));
    return dir;
  };
  const begin = async (dir: string, caBundle: typeof inUse, more: Partial<RotateRequest> = {}) => {
    const request = { ...rotateRequest(dir, { issue: async () => Promise.reject(new UsageError('cannot issue')), ...more }) };
    return prepare(
      await clusterWith(inUse, undefined, caBundle),
      { ...request, now: () => now, renewLease: async () => {} },
      {
        journal: undefined,
      },
    );
  };
  const differs = { message: expect.stringMatching(/the project differs from the cluster[\s\S]*\nnothing was changed$/) };

  test.each(['tls.crt', 'tls.key'])('are not restored where the project differs from the cluster: %s', async (lost) => {
    const dir = without(lost);
    const issue = async () => ({ issued: pending });
    expect(await rejection(begin(dir, foreign, { issue, soakMs: 0 }))).toMatchObject(differs);
    expect(existsSync(join(dir, 'certs', lost))).toBe(false);
  });

  test('are restored before a certificate is issued', async () => {
    const dir = without('tls.crt');
    expect(await rejection(begin(dir, inUse))).toMatchObject({ message: 'cannot issue' });
    expect(existsSync(join(dir, 'certs', 'tls.crt'))).toBe(true);
  });

  test.each([
    [false, true],
    [true, false],
  ])('are restored where nothing is due, which the result says (dry run: %s)', async (dryRun, isRestored) => {
    const dir = without('tls.crt');
    expect(await begin(dir, inUse, { dryRun, ifExpiresWithin: 0 })).toMatchObject({ outcome: 'not-due', isRestored });
    expect(existsSync(join(dir, 'certs', 'tls.crt'))).toBe(isRestored);
  });
});

describe('the certificate of a rotation on another machine', () => {
  const where = { registration, signal: never, now: () => now };

  test('is found in the Secret, with the CA that signed it', async () => {
    const found = await setInCluster({ ...where, cluster: await clusterWith(foreign) }, fingerprint(foreign));
    expect(found).toEqual({ ...certificateSet(foreign), key: undefined });
  });

  test('is found at an endpoint that still serves it, after the Secret has the old one', async () => {
    const endpoint = await listening(tlsServer({ certificates: foreign.chain, key: foreign.key }));
    const found = await setInCluster({ ...where, cluster: await clusterWith(inUse, undefined, both, endpoint) }, fingerprint(foreign));
    expect(found).toEqual({ ...certificateSet(foreign), key: undefined });
  });

  test('is known by its fingerprint where nothing has it any more, if a Lease names it', async () => {
    const cluster = await clusterWith(inUse);
    const leaf = fingerprint(foreign);
    expect(await setInCluster({ ...where, cluster }, leaf)).toEqual({ chain: '', presented: [], leaf, anchors: [], key: undefined });
    expect(await setInCluster({ ...where, cluster }, undefined)).toBeUndefined();
  });

  test('is what --abort withdraws', async () => {
    const journal = { kind: 'ca', oldCertificate: fingerprint(inUse), newCertificate: fingerprint(foreign) } as const;
    const request = { ...rotateRequest(project(), { abort: true }), now: () => now, renewLease: async () => {} };
    const whole = { ...journal, direction: 'forward', step: 'soak', number: 6, steps: 9, title: 'x', started: 'now', holder: 'x' } as const;
    const planned = await prepare(await clusterWith(foreign, journal, both), request, { journal: whole });
    expect(stepsOf(planned)).toContain('soak');
    expect(planned).toMatchObject({
      rotation: { kind: 'ca', direction: 'back', from: { leaf: fingerprint(foreign), key: undefined }, to: { leaf: fingerprint(inUse) } },
    });
  });

  test('is not watched for where the Secret never had it', async () => {
    const journal = { kind: 'ca', oldCertificate: fingerprint(inUse), newCertificate: fingerprint(foreign), neverServed: true } as const;
    const request = { ...rotateRequest(project(), { abort: true }), now: () => now, renewLease: async () => {} };
    const whole = {
      ...journal,
      direction: 'forward',
      step: 'uptake',
      number: 3,
      steps: 9,
      title: 'x',
      started: 'now',
      holder: 'x',
    } as const;
    expect(stepsOf(await prepare(await clusterWith(inUse, journal), request, { journal: whole }))).not.toContain('soak');
  });
});

test.each([
  ['the old certificate and the old CA', inUse, inUse, true],
  ['the old certificate and both CAs', inUse, both, false],
  ['the new certificate and both CAs', foreign, both, false],
])('whether the certificate of a rotation that no Lease describes may be served: %s', async (_, inSecret, trusted, neverServed) => {
  const dir = project();
  writeNext(dir, { issued: foreign });
  const cluster = await clusterWith(inSecret, undefined, trusted);
  const request = { ...rotateRequest(dir, { abort: true }), now: () => now, renewLease: async () => {} };
  expect(await prepare(cluster, request, { journal: undefined })).toMatchObject({ rotation: { direction: 'back', neverServed } });
});

const stepsOf = ({ steps }: Awaited<ReturnType<typeof prepare>>): readonly string[] => steps.map(({ id }) => id);
