import { describe, expect, test } from 'vitest';
import { RefusedError } from '../../../src/errors.ts';
import { apiServicePath, caBundle, issued, objects, old, present, registering, registration, secret, secretPath } from './registering.ts';

describe('register', () => {
  test('applies the APIService last, and each object once', async () => {
    const { result, changed, progress } = await registering({});
    expect(result).toMatchObject({ diagnosis: { verdict: 'healthy' } });
    expect(changed).toHaveLength(objects.length);
    expect(changed.at(-1)).toBe(apiServicePath);
    expect(progress.filter(({ kind }) => kind === 'applied')).toHaveLength(objects.length);
    expect(progress).toContainEqual({
      kind: 'note',
      what: 'certificate not checked: 127.0.0.1:1 (pod api-0): connection refused',
    });
  });

  test.each([
    ['another caBundle', present(old)],
    ['no caBundle', present(undefined)],
  ])('leaves a working APIService with %s unchanged while the serving certificates cannot be checked', async (_, existing) => {
    const { result, changed, progress } = await registering({ present: existing });
    expect(result).toBeInstanceOf(RefusedError);
    expect((result as RefusedError).message).toBe(
      'cannot verify the serving certificates against the new caBundle: 127.0.0.1:1 (pod api-0): connection refused; APIService v1.example.com still works with its current caBundle and is unchanged',
    );
    const { fix } = result as RefusedError;
    expect(fix).toContain('{apiGroups: [""], resources: [pods/portforward], verbs: [get, create]}');
    expect(fix).toContain('kubectl -n example rollout restart deployment/');
    expect(changed).not.toContain(apiServicePath);
    expect(progress.filter(({ kind }) => kind === 'note')).toEqual([]);
  });

  test.each<[string, Parameters<typeof registering>[0]]>([
    ['the caBundle stays', { present: { ...present(Buffer.from(caBundle).toString('base64')), [secretPath]: { ...secret, data: {} } } }],
    ['the API does not work with the caBundle that it has', { present: present(old), api: 503 }],
    ['the user may not request the API, and it is not Available', { present: present(old, 'False'), api: 403 }],
  ])('registers when %s', async (_, situation) => {
    const { changed } = await registering(situation);
    expect(changed.at(-1)).toBe(apiServicePath);
  });

  test('does not register an API whose Deployment is scaled to 0', async () => {
    const { result, changed } = await registering({ replicas: 0 });
    expect((result as RefusedError).message).toMatch(/^Deployment example\/\S+ is scaled to 0, so nothing would serve the API; /);
    expect((result as RefusedError).fix).toMatch(/: kubectl -n example scale deployment\/\S+ --replicas=1$/);
    expect(changed).not.toContain(apiServicePath);
  });

  test('names apisvc.yaml where the project scales the Deployment to 0', async () => {
    const { result } = await registering({ replicas: 0, wanted: 0 });
    expect((result as RefusedError).fix).toBe(
      'Set spec.server.replicas in apisvc.yaml to 1 or more before you run the same command again.',
    );
  });

  test.each([secretPath, apiServicePath])('changes nothing when another manager owns a field of %s', async (conflict) => {
    const { result, changed } = await registering({ conflict });
    expect((result as RefusedError).message).toMatch(/conflict with "helm"\nnothing was changed$/);
    expect(changed).toEqual([]);
  });
});

test('a rotation that is not complete: nothing is changed', async () => {
  const journal = {
    kind: 'ca',
    direction: 'forward',
    step: 'x',
    number: 1,
    steps: 6,
    title: 'X',
    started: '2026-05-01T10:00:00.123Z',
    holder: 'alice@laptop',
    newCertificate: 'new',
  };
  const lease = {
    metadata: {
      name: `apisvc-rotation-${registration.spec.service.name}`,
      annotations: { 'apisvc.dev/rotation': JSON.stringify(journal) },
    },
    spec: { holderIdentity: '' },
  };
  const path = `/apis/coordination.k8s.io/v1/namespaces/example/leases/${lease.metadata.name}`;
  const { result, changed } = await registering({ present: { [path]: lease } });
  expect(result).toMatchObject({
    name: 'RefusedError',
    message: expect.stringContaining('it started at 2026-05-01T10:00:00Z, and was last run by alice@laptop'),
    fix: 'Finish the rotation in the project directory where it was started: apisvc rotate -C DIR\nOr roll back first: apisvc rotate --abort',
  });
  expect(changed).toEqual([]);
  // cert-manager makes the certificate, and there is no way back.
  const annotations = { 'apisvc.dev/rotation': JSON.stringify({ ...journal, newCertificate: undefined }) };
  const renewed = { ...lease, metadata: { ...lease.metadata, annotations } };
  expect((await registering({ present: { [path]: renewed } })).result).toMatchObject({
    fix: 'Finish the rotation in the project directory where it was started: apisvc rotate -C DIR',
  });
  const held = { ...lease, spec: { holderIdentity: 'alice@laptop_1' } };
  expect((await registering({ present: { [path]: held } })).result).toMatchObject({
    fix: expect.stringMatching(
      /^If the rotation is running, wait until it is complete\. .*: apisvc status\nOtherwise, finish the rotation in [^:]*: apisvc rotate -C DIR/,
    ),
  });
});

test('without the permission to get the Lease of a rotation, registers and says so', async () => {
  const { result, progress } = await registering({ lease: 403 });
  expect(result).toMatchObject({ diagnosis: { verdict: 'healthy' } });
  expect(progress).toContainEqual({ kind: 'note', what: expect.stringMatching(/^not allowed to get Lease .*rotation is in progress$/) });
});

describe('the Lease of a rotation', () => {
  test('is not taken for a first registration', async () => {
    const { changed, leaseWrites } = await registering({});
    expect(leaseWrites).toEqual(readsBefore(changed));
  });

  /** Without the Lease, the files are read again before each write that a rotation may do too. */
  const readsBefore = (changed: readonly string[]): string[] =>
    [secretPath, apiServicePath].map((path) => `read after ${changed.indexOf(path)}`);

  test('is held from before the first write until the last one', async () => {
    const bundle = Buffer.from(caBundle).toString('base64');
    const { changed, leaseWrites } = await registering({ present: { ...present(bundle), [secretPath]: { ...secret, data: {} } } });
    const atSecret = changed.indexOf(secretPath);
    expect(leaseWrites).toEqual([
      'POST after 0',
      'read after 0',
      `PATCH after ${atSecret}`,
      `PATCH after ${changed.length - 1}`,
      `DELETE after ${changed.length}`,
    ]);
  });

  test.each([
    ['certificate', { ...issued, chain: `${issued.chain}\n` }],
    ['CA', { ...issued, anchors: [] }],
  ])('is deleted, and nothing is changed, where a rotation of the %s ended since the files were read', async (_, replaced) => {
    const { result, changed, leaseWrites } = await registering({ present: present(old), api: 503, replaced });
    expect(result).toMatchObject({
      exitCode: 1,
      message: 'the certificates of the project were replaced after this command read them\nnothing was changed',
      fix: 'Run the same command again.',
    });
    expect(changed).toEqual([]);
    expect(leaseWrites).toEqual(['POST after 0', 'read after 0', 'DELETE after 0']);
  });

  test('is deleted after an error', async () => {
    const { result, leaseWrites } = await registering({ present: present(old) });
    expect(result).toBeInstanceOf(RefusedError);
    expect(leaseWrites.at(0)).toBe('POST after 0');
    expect(leaseWrites.at(-1)).toMatch(/^DELETE /);
  });

  test('is only looked at without the permission to create it, which a note says', async () => {
    const situation = { present: present(old), api: 503, mayWriteLeases: false };
    const { changed, leaseWrites, progress } = await registering(situation);
    expect(changed.at(-1)).toBe(apiServicePath);
    expect(leaseWrites).toEqual(readsBefore(changed));
    const { changed: few } = await registering({ ...situation, replaced: { ...issued, anchors: [] } });
    expect([few.includes(secretPath), few.includes(apiServicePath)]).toEqual([false, false]);
    expect(progress).toContainEqual({
      kind: 'note',
      what: 'not allowed to create, patch, delete Lease example/apisvc-rotation-api; checking for a rotation before each write instead',
    });
  });
});
