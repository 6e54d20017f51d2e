import { describe, expect, test } from 'vitest';
import { RefusedError } from '../../../src/errors.ts';
import { renderManifests } from '../../../src/manifests/render.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import type { Progress } from '../../../src/operations/progress.ts';
import { register } from '../../../src/operations/register.ts';
import { anchorsIn } from '../../../src/pki/anchors.ts';
import type { Issued } from '../../../src/pki/types.ts';
import { answer, clusterOf, never, notFound, type Received, status } from '../cluster/kube-api.ts';
import { issued as anyCertificates, registrationOf } from '../manifests/fixture.ts';
import { makeCa } from '../pki/certificates.ts';

const registration = registrationOf('    image: registry.example.com/api:v1');
const caBundle = (await makeCa({ commonName: 'CA' })).info.pem;
const issued: Issued = { ...anyCertificates, anchors: anchorsIn(caBundle, 'current') };
const objects = renderManifests(registration, issued, { secrets: 'include' }).map(({ object }) => object);
const secretPath = '/api/v1/namespaces/example/secrets/api-tls';
const apiServicePath = '/apis/apiregistration.k8s.io/v1/apiservices/v1.example.com';

/** The ConfigMap that kube-apiserver publishes for extension API servers. */
const authentication = {
  'client-ca-file': caBundle,
  'requestheader-client-ca-file': caBundle,
  'requestheader-allowed-names': '["front-proxy-client"]',
  'requestheader-username-headers': '["X-Remote-User"]',
};

interface Situation {
  /** Objects that exist before, by path. */
  readonly present?: Readonly<Record<string, object>>;
  /** Path of an object with a field of another manager. */
  readonly conflict?: string;
  /** The status of the API until it is registered again. */
  readonly api?: number;
  /** The status of a request for the Lease of a rotation. */
  readonly lease?: number;
  readonly mayWriteLeases?: boolean;
  /** What another process left in certs/ since they were read. */
  readonly replaced?: Issued;
  /** Replicas of the Deployment, which the project does not set by default. */
  readonly replicas?: number;
  /** Replicas that the project sets. */
  readonly wanted?: number;
}

/**
 * A cluster that stores applied objects, rolls out at once, and has pods that are not reachable.
 */
async function registering({
  present = {},
  conflict,
  api = 200,
  lease,
  mayWriteLeases = true,
  replaced = issued,
  replicas,
  wanted,
}: Situation) {
  const stored = new Map<string, object>(Object.entries(present));
  const changed: string[] = [];
  const leaseWrites: string[] = [];
  const withReplicas = (object: KubeObject & { readonly spec?: object }): object =>
    object.kind === 'Deployment' ? { ...object, spec: { ...object.spec, replicas } } : object;
  const lists: Readonly<Record<string, () => object[]>> = {
    '/deployments': () => [
      { metadata: { generation: 1 }, spec: {}, status: { observedGeneration: 1, updatedReplicas: 1, availableReplicas: 1, replicas: 1 } },
    ],
    '/endpointslices': () => [
      {
        metadata: { name: 'api-x' },
        endpoints: [{ addresses: ['127.0.0.1'], targetRef: { kind: 'Pod', name: 'api-0' } }],
        ports: [{ port: 1 }],
      },
    ],
    '/apiservices': () => [{ ...stored.get(apiServicePath) }],
  };
  const cluster = await clusterOf(({ method, url, body }: Received, response) => {
    const [path = '', query = ''] = url.split('?');
    if (path.endsWith('/leases') || (path.includes('/leases/') && (method === 'PATCH' || method === 'DELETE'))) {
      leaseWrites.push(`${method} after ${changed.length}`);
      return answer(response, method === 'POST' ? 201 : 200, JSON.parse(body));
    }
    if (method === 'POST') {
      const { verb, resource } = JSON.parse(body).spec.resourceAttributes;
      return answer(response, 201, { status: { allowed: resource !== 'leases' || mayWriteLeases || verb === 'get' } });
    }
    if (method === 'PATCH') {
      const causes = [{ reason: 'FieldManagerConflict', field: '.spec', message: 'conflict with "helm"' }];
      if (path === conflict) return answer(response, 409, status(409, 'Conflict', 'x', { causes }));
      if (!query.includes('dryRun')) {
        changed.push(path);
        stored.set(path, withReplicas({ ...JSON.parse(body), status: { conditions: [{ type: 'Available', status: 'True' }] } }));
      }
      return answer(response, 200, withReplicas(JSON.parse(body)));
    }
    const list = Object.entries(lists).find(([end]) => path.endsWith(end))?.[1];
    if (list) return answer(response, 200, { metadata: { resourceVersion: '1' }, items: list() });
    if (path === '/apis/example.com/v1' && !changed.includes(apiServicePath) && api !== 200)
      return answer(response, api, status(api, 'X', 'no'));
    if (path === '/apis/example.com/v1')
      return answer(response, 200, { kind: 'APIResourceList', groupVersion: 'example.com/v1', resources: [{ name: 'things' }] });
    if (path === '/apis/example.com') return answer(response, 200, { kind: 'APIGroup', versions: [{ version: 'v1' }] });
    if (path.endsWith('/configmaps/extension-apiserver-authentication')) return answer(response, 200, { data: authentication });
    if (lease && path.includes('/leases/')) return answer(response, lease, status(lease, 'Forbidden', 'no'));
    const found = stored.get(path);
    return found ? answer(response, 200, found) : answer(response, 404, notFound(path));
  });
  const progress: Progress[] = [];
  const result = register(cluster, {
    registration,
    issued,
    readAgain: async () => {
      leaseWrites.push(`read after ${changed.length}`);
      return replaced;
    },
    objects: objects.map((object) =>
      wanted === undefined || object.kind !== 'Deployment'
        ? object
        : { ...object, spec: { ...(object as KubeObject & { spec: object }).spec, replicas: wanted } },
    ),
    forceConflicts: false,
    holder: { user: 'alice', host: 'laptop', id: '7b0f5a52-93a5-4f0e-8a11-0c6a3f1f0a01' },
    signal: never,
    onProgress: (each) => progress.push(each),
  }).catch((reason: unknown) => reason);
  return { result: await result, changed, leaseWrites, progress };
}

const secret = objects.find(({ kind }) => kind === 'Secret') as KubeObject;

const apiService = objects.find(({ kind }) => kind === 'APIService') as KubeObject & { spec: object };
const old = Buffer.from((await makeCa({ commonName: 'old CA' })).info.pem).toString('base64');
const withBundle = (caBundle: string | undefined, available = 'True') => ({
  ...apiService,
  spec: { ...apiService.spec, caBundle },
  status: { conditions: [{ type: 'Available', status: available }] },
});
const present = (caBundle: string | undefined, available?: string) => ({
  [apiServicePath]: withBundle(caBundle, available),
  [secretPath]: secret,
});

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
    message: expect.stringContaining('it started at 2026-05-01T10:00:00Z, and alice@laptop ran it last'),
    fix: 'Finish it: run rotate in the project directory where it was started.\nOr go back first: apisvc rotate --abort',
  });
  expect(changed).toEqual([]);
  // cert-manager makes the certificate, and there is no way back.
  const annotations = { 'apisvc.dev/rotation': JSON.stringify({ ...journal, newCertificate: undefined }) };
  const renewed = { ...lease, metadata: { ...lease.metadata, annotations } };
  expect((await registering({ present: { [path]: renewed } })).result).toMatchObject({
    fix: 'Finish it: run rotate in the project directory where it was started.',
  });
  const held = { ...lease, spec: { holderIdentity: 'alice@laptop_1' } };
  expect((await registering({ present: { [path]: held } })).result).toMatchObject({
    fix: expect.stringMatching(
      /^If the rotation is running, wait until it is complete\. .*: apisvc status\nOtherwise finish it: run rotate/,
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
      message: 'the certificates of the project were replaced after this command had read them\nnothing was changed',
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
      what: 'not allowed to create, patch, delete Lease example/apisvc-rotation-api; looking for a rotation before each write instead',
    });
  });
});
