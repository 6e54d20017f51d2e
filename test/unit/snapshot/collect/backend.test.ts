import { describe, expect, test } from 'vitest';
import { takeSnapshot } from '../../../../src/snapshot/collect/snapshot.ts';
import type { ApiSnapshot } from '../../../../src/snapshot/types.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';
import { servingCertificate } from '../../cluster/listening.ts';

/**
 * The snapshot of a Service that points at a proxy in the pod, which terminates TLS in front of the
 * server.
 */

const { leaf: outer } = await servingCertificate();
const { leaf: inner } = await servingCertificate();
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const container = (name: string, args: readonly string[]) => ({
  name,
  args: [...args, '--tls-cert-file=/certs/tls.crt', '--tls-private-key-file=/keys/tls.key'],
  volumeMounts: [
    { name, mountPath: '/certs' },
    { name, mountPath: '/keys' },
  ],
});
const pod = {
  metadata: { name: 'api-0', namespace: 'wardle', uid: 'b6f0' },
  spec: {
    containers: [
      container('inner', ['--secure-port=6443']),
      { ...container('outer', []), ports: [{ name: 'https', containerPort: 8443 }] },
    ],
    volumes: ['inner', 'outer'].map((name) => ({ name, secret: { secretName: name } })),
  },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: ['inner', 'outer'].map((name, hour) => ({
      name,
      ready: true,
      state: { running: { startedAt: `2026-06-15T1${hour}:00:00Z` } },
    })),
  },
};
const secretOf = (name: string, { certificates, key }: typeof outer) => ({
  metadata: { name, namespace: 'wardle' },
  type: 'kubernetes.io/tls',
  data: { 'tls.crt': base64(certificates), 'tls.key': base64(key.reveal()) },
});

async function snapshot(targetPort: string | number): Promise<ApiSnapshot | undefined> {
  const paths: Readonly<Record<string, object>> = {
    '/version': { gitVersion: 'v1.37.2' },
    '/apis/apiregistration.k8s.io/v1/apiservices/v1.example.com': {
      metadata: { name: 'v1.example.com' },
      spec: { group: 'example.com', version: 'v1', service: { namespace: 'wardle', name: 'api', port: 443 } },
    },
    '/api/v1/namespaces/wardle/services/api': {
      metadata: { name: 'api', namespace: 'wardle' },
      spec: {
        selector: { app: 'api' },
        ports: [
          { name: 'metrics', port: 80, targetPort: 6443 },
          { name: 'https', port: 443, targetPort },
        ],
      },
    },
    '/api/v1/namespaces/wardle/pods': { metadata: {}, items: [pod] },
    '/api/v1/namespaces/wardle/secrets/outer': secretOf('outer', outer),
    '/api/v1/namespaces/wardle/secrets/inner': secretOf('inner', inner),
  };
  const cluster = await clusterOf(({ method, url }, response) => {
    const [path = ''] = url.split('?');
    if (method === 'POST') return answer(response, 201, { status: { allowed: true } });
    const found =
      paths[path] ?? (/(endpointslices|apiservices|customresourcedefinitions)$/.test(path) ? { metadata: {}, items: [] } : undefined);
    return found ? answer(response, 200, found) : answer(response, 404, notFound(url));
  });
  return (await takeSnapshot(cluster, { names: ['v1.example.com'] }, {}, never)).apis[0];
}

describe.each([8443, 'https'])('targetPort %s', (targetPort) => {
  test('flags, Secret and start are those of the proxy', async () => {
    const api = await snapshot(targetPort);
    expect(api?.server).toMatchObject({
      state: 'seen',
      value: { flags: ['--tls-cert-file=/certs/tls.crt', '--tls-private-key-file=/keys/tls.key'], startedAt: '2026-06-15T11:00:00Z' },
    });
    expect(api?.secret).toMatchObject({ state: 'seen', value: { name: 'outer', keyMatches: true, pods: ['api-0'] } });
  });
});

test('where the Service bypasses the proxy, they are those of the server', async () => {
  const api = await snapshot(6443);
  expect(api?.server).toMatchObject({ value: { startedAt: '2026-06-15T10:00:00Z' } });
  expect(api?.secret).toMatchObject({ state: 'seen', value: { name: 'inner', keyMatches: true } });
});
