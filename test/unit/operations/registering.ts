import { renderManifests } from '../../../src/manifests/render.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import type { Progress } from '../../../src/operations/progress.ts';
import { register } from '../../../src/operations/register.ts';
import { anchorsIn } from '../../../src/pki/anchors.ts';
import type { Issued } from '../../../src/pki/types.ts';
import { answer, clusterOf, never, notFound, type Received, status } from '../cluster/kube-api.ts';
import { issued as anyCertificates, registrationOf } from '../manifests/fixture.ts';
import { makeCa } from '../pki/certificates.ts';

/** A project, a cluster to register it in, and what register does there. */

export const registration = registrationOf('    image: registry.example.com/api:v1');
export const caBundle = (await makeCa({ commonName: 'CA' })).info.pem;
export const issued: Issued = { ...anyCertificates, anchors: anchorsIn(caBundle, 'current') };
export const objects = renderManifests(registration, issued, { secrets: 'include' }).map(({ object }) => object);
export const secretPath = '/api/v1/namespaces/example/secrets/api-tls';
export const apiServicePath = '/apis/apiregistration.k8s.io/v1/apiservices/v1.example.com';

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
export async function registering({
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
    if (path.endsWith('/configmaps/extension-apiserver-authentication'))
      return answer(response, 200, { metadata: {}, data: authentication });
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

export const secret = objects.find(({ kind }) => kind === 'Secret') as KubeObject;

const apiService = objects.find(({ kind }) => kind === 'APIService') as KubeObject & { spec: object };
export const old = Buffer.from((await makeCa({ commonName: 'old CA' })).info.pem).toString('base64');
const withBundle = (caBundle: string | undefined, available = 'True') => ({
  ...apiService,
  spec: { ...apiService.spec, caBundle },
  status: { conditions: [{ type: 'Available', status: available }] },
});
export const present = (caBundle: string | undefined, available?: string) => ({
  [apiServicePath]: withBundle(caBundle, available),
  [secretPath]: secret,
});
