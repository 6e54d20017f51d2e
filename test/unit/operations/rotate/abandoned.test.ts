import { describe, expect, test } from 'vitest';
import { apiServiceNames } from '../../../../src/config/registration.ts';
import { planRotation, rotate } from '../../../../src/operations/rotate.ts';
import type { RotateRequest } from '../../../../src/operations/rotation/request.ts';
import { hasNext, writeNext } from '../../../../src/project/generations.ts';
import { pathsOfSets } from '../../../../src/project/sets.ts';
import { rotationText } from '../../../../src/report/rotation.ts';
import { answer, clusterOf, notFound, status } from '../../cluster/kube-api.ts';
import { having, project, registration } from '../../project/sample.ts';
import { colorless } from '../../report/colors.ts';
import { issued, rotateRequest } from '../rotation/fixture.ts';
import { rejection } from '../waiting.ts';

const leasePath = `/apis/coordination.k8s.io/v1/namespaces/example/leases/apisvc-rotation-${registration.spec.service.name}`;
const lease = `lease/example/apisvc-rotation-${registration.spec.service.name}`;

/** The Lease of a process that gave it up. */
const released = { metadata: { name: 'lease', resourceVersion: '1' }, spec: { holderIdentity: '' } };

interface Has {
  readonly lease?: boolean;
  /** The Secret with the CA. */
  readonly ca?: { readonly data: Record<string, string>; readonly metadata: object };
  /** Whether reviews and reads are refused. */
  readonly forbidden?: boolean;
  readonly apiServices?: readonly object[];
}

/** A cluster without APIServices, and perhaps with a Lease. */
async function unregistered({ lease = false, forbidden = false, ca, apiServices = [] }: Has) {
  const writes: string[] = [];
  let present = lease;
  const cluster = await clusterOf(({ method, url, body }, response) => {
    const path = url.split('?')[0] ?? '';
    if (path.endsWith('/selfsubjectaccessreviews')) return answer(response, 201, { status: { allowed: !forbidden } });
    if (forbidden) return answer(response, 403, status(403, 'Forbidden', 'forbidden: User "x" cannot do this'));
    if (method !== 'GET') writes.push(`${method} ${path}`);
    if (path === leasePath) {
      if (method === 'DELETE') present = false;
      if (!present && method === 'GET') return answer(response, 404, notFound(url));
      return answer(response, 200, { ...released, ...(method === 'PATCH' ? JSON.parse(body) : {}) });
    }
    if (ca && path.includes('/secrets/')) {
      const { data } = method === 'PATCH' ? JSON.parse(body) : ca;
      for (const [entry, value] of Object.entries(data)) if (value === null) delete ca.data[entry];
      return answer(response, 200, ca);
    }
    answer(response, 200, { metadata: { resourceVersion: '1' }, items: apiServices });
  });
  return { cluster, writes };
}

const request = (dir: string, more: Partial<RotateRequest> = {}) =>
  rotateRequest(dir, { abort: true, holder: { user: 'a', host: 'b', id: 'c' }, ...more });

const withNext = (): string => {
  const dir = project();
  writeNext(dir, { issued });
  return dir;
};

describe('rotate --abort when no API is registered any more', () => {
  test('removes certs/next where there is no Lease, and writes nothing to the cluster', async () => {
    const { cluster, writes } = await unregistered({});
    const dir = withNext();
    const { next } = pathsOfSets(dir);
    const result = await rotate(cluster, request(dir));
    expect(result).toMatchObject({ outcome: 'discarded', discarded: [next] });
    expect(rotationText(result, colorless, [])).toBe(`The API is no longer registered. Discarded ${next}.\n`);
    expect(hasNext(dir)).toBe(false);
    expect(writes).toEqual([]);
    expect(await rotate(cluster, request(dir))).toMatchObject({ outcome: 'nothing-to-abort' });
  });

  test('takes the Lease over and deletes it too', async () => {
    const { cluster, writes } = await unregistered({ lease: true });
    const dir = withNext();
    expect(await rotate(cluster, request(dir))).toMatchObject({ discarded: [pathsOfSets(dir).next, lease] });
    expect(hasNext(dir)).toBe(false);
    expect(writes).toEqual([`PATCH ${leasePath}`, `DELETE ${leasePath}`]);
  });

  test('removes a Lease that another machine left', async () => {
    const { cluster } = await unregistered({ lease: true });
    expect(await rotate(cluster, request(project()))).toMatchObject({ outcome: 'discarded', discarded: [lease] });
  });

  test('removes the next CA from the Secret with the CA, which unregister --keep-secrets left', async () => {
    const inSecret = having('issuer: {type: self-signed, caKey: secret}');
    const annotations = { 'apisvc.dev/registration': `example/${inSecret.metadata.name}` };
    const of = (owner: object) => ({
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'api-ca', namespace: 'example', annotations: owner } },
      data: { 'tls.key': 'b2xk', 'next.crt': 'bmV3', 'next.key': 'bmV3' } as Record<string, string>,
    });
    const ca = of(annotations);
    const { cluster } = await unregistered({ ca });
    const asked = request(project(), { registration: inSecret });
    expect(await rotate(cluster, asked)).toMatchObject({ discarded: ['the new CA in Secret example/api-ca'] });
    expect(ca.data).toEqual({ 'tls.key': 'b2xk' });
    expect(await rotate(cluster, asked)).toMatchObject({ outcome: 'nothing-to-abort' });
    const others = await unregistered({ ca: of({}) });
    expect(await rotate(others.cluster, asked)).toMatchObject({ outcome: 'nothing-to-abort' });
  });

  test.each([true, false])('keeps everything where the API leads to another Service (dry run: %s)', async (dryRun) => {
    const [name = ''] = apiServiceNames(registration);
    const spec = { service: { namespace: 'example', name: 'before', port: 443 } };
    const { cluster, writes } = await unregistered({ lease: true, apiServices: [{ metadata: { name }, spec }] });
    const dir = withNext();
    const asked = request(dir, { dryRun });
    expect(await rejection(dryRun ? planRotation(cluster, asked) : rotate(cluster, asked))).toMatchObject({
      message: `apiservice/${name} points at Service example/before, not at Service example/api\nnothing was changed`,
      fix: 'In apisvc.yaml, correct spec.service.name.',
    });
    expect({ hasNext: hasNext(dir), writes }).toEqual({ hasNext: true, writes: [] });
  });

  test('only says so with --dry-run', async () => {
    const { cluster, writes } = await unregistered({ lease: true });
    const dir = withNext();
    const { outcome, steps } = await planRotation(cluster, request(dir, { dryRun: true }));
    expect({ outcome, titles: steps.map(({ title }) => title) }).toEqual({
      outcome: 'planned',
      titles: [`Removing ${pathsOfSets(dir).next}`, `Removing ${lease}`],
    });
    expect(hasNext(dir)).toBe(true);
    expect(writes).toEqual([]);
  });
});

test.each([true, false])('rotate names rotate --abort when no API is registered any more (dry run: %s)', async (dryRun) => {
  const { cluster, writes } = await unregistered({});
  const dir = withNext();
  const { namespace, name } = { namespace: 'example', name: registration.spec.service.name };
  const asked = request(dir, { abort: false, dryRun });
  expect(await rejection(dryRun ? planRotation(cluster, asked) : rotate(cluster, asked))).toMatchObject({
    message: `no APIService points at Service ${namespace}/${name}, so the rotation cannot continue\nnothing was changed`,
    fix: 'Discard certs/next: apisvc rotate --abort\nThen register the project again: apisvc register',
  });
  expect(hasNext(dir)).toBe(true);
  expect(writes).toEqual([]);
});

test.each([true, false])('rotate names only register where no API is registered (dry run: %s)', async (dryRun) => {
  const { cluster, writes } = await unregistered({});
  const asked = request(project(), { abort: false, dryRun });
  expect(await rejection(dryRun ? planRotation(cluster, asked) : rotate(cluster, asked))).toMatchObject({
    message: `no APIService points at Service example/${registration.spec.service.name}\nnothing was changed`,
    fix: 'Register the API first: apisvc register',
  });
  expect(writes).toEqual([]);
});

test.each([true, false])('a dry run names all permissions that the rotation lacks (abort: %s)', async (abort) => {
  const { cluster } = await unregistered({ forbidden: true });
  const refused = await rejection(planRotation(cluster, request(project(), { abort, dryRun: true })));
  expect(refused).toMatchObject({
    exitCode: 3,
    message: expect.stringMatching(/is not allowed to get, create, patch, delete leases.*; .*secrets.*pods\/portforward/),
  });
});
