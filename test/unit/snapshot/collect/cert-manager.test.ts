import { describe, expect, test } from 'vitest';
import { collectCertManager } from '../../../../src/snapshot/collect/cert-manager.ts';
import { collectContext } from '../../../../src/snapshot/collect/context.ts';
import type { ApiServiceView } from '../../../../src/snapshot/types.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';
import { api, bundleOf, ca, leafCertificate } from '../../diagnosis/snapshots.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const certManager = '/apis/cert-manager.io/v1';
const inNamespace = `${certManager}/namespaces/wardle`;
const status = (type: string, value: string, message = '') => ({ status: { conditions: [{ type, status: value, reason: 'x', message }] } });

const certificate = {
  metadata: { namespace: 'wardle', name: 'api' },
  spec: { secretName: 'api-tls', dnsNames: ['api.wardle.svc'], issuerRef: { name: 'own' } },
};
const secret = (name: string) => ({
  metadata: { namespace: 'wardle', name, annotations: { 'cert-manager.io/certificate-name': 'api' } },
  data: { 'tls.crt': base64(leafCertificate.pem), 'ca.crt': base64(ca.pem) },
});
const issuer = { metadata: { name: 'own' }, spec: { ca: { secretName: 'own-ca' } }, ...status('Ready', 'True') };
const request = (name: string, of: string, revision: string) => ({
  metadata: { name, annotations: { 'cert-manager.io/certificate-name': of, 'cert-manager.io/certificate-revision': revision } },
  ...status('Ready', 'False', name),
});

const objects: Readonly<Record<string, unknown>> = {
  [certManager]: {},
  [`${inNamespace}/certificates/api`]: { ...certificate, ...status('Ready', 'True') },
  [`${inNamespace}/issuers/own`]: issuer,
  '/api/v1/namespaces/wardle/secrets/api-tls': secret('api-tls'),
  '/api/v1/namespaces/wardle/secrets/own-ca': secret('own-ca'),
};

const annotated = (value: string, annotation = 'cert-manager.io/inject-ca-from'): ApiServiceView => ({
  ...api,
  caBundle: bundleOf(ca),
  annotations: { [annotation]: value },
});

/** @returns the observation, and the paths that were read */
async function collect(registered: ApiServiceView, exist = objects) {
  const read: string[] = [];
  const cluster = await clusterOf(({ url }, response) => {
    const [path = ''] = url.split('?');
    read.push(path);
    const found = exist[path];
    return found ? answer(response, 200, found) : answer(response, 404, notFound(path));
  });
  return { found: await collectCertManager(collectContext(cluster, never), registered), read };
}

describe('nothing is read', () => {
  test.each([
    ['without an annotation', api],
    ['if the certificate is not verified', { ...annotated('wardle/api'), insecureSkipTLSVerify: true }],
  ])('%s', async (_, registered) => {
    expect(await collect(registered)).toEqual({ found: undefined, read: [] });
  });

  test('where cert-manager is not installed', async () => {
    expect(await collect(annotated('wardle/api'), {})).toEqual({ found: undefined, read: [certManager] });
  });

  test.each(['api', '/api', 'wardle/', 'wardle/../x', 'wardle/api/status'])('for the value %s, which names nothing', async (value) => {
    const { found, read } = await collect(annotated(value));
    expect({ certificate: found?.certificate, read }).toEqual({ certificate: { state: 'absent' }, read: [certManager] });
  });
});

test('a Certificate with its Secret and the CA of its Issuer, without private keys', async () => {
  const { found, read } = await collect(annotated('wardle/api'));
  expect(found).toMatchObject({
    certificate: { state: 'seen', value: { dnsNames: ['api.wardle.svc'], issuer: { state: 'seen', value: { ca: { state: 'seen' } } } } },
    secret: {
      state: 'seen',
      value: { certificateName: 'api', authorities: [{ pem: ca.pem }], certificates: [{ pem: leafCertificate.pem }] },
    },
  });
  expect(found).not.toHaveProperty('lease');
  expect(read).toHaveLength(5);
});

test('of a Certificate that is not ready, the newest CertificateRequest', async () => {
  const { found } = await collect(annotated('wardle/api'), {
    ...objects,
    [`${inNamespace}/certificates/api`]: { ...certificate, ...status('Ready', 'False') },
    [`${inNamespace}/certificaterequests`]: {
      metadata: {},
      items: [request('api-2', 'api', '2'), request('api-10', 'api', '10'), request('other-11', 'other', '11')],
    },
  });
  expect(found).toMatchObject({ certificate: { value: { request: { state: 'seen', value: { name: 'api-10' } } } } });
});

test('a ClusterIssuer has its Secret in namespace cert-manager', async () => {
  const spec = { ...certificate.spec, issuerRef: { name: 'own', kind: 'ClusterIssuer' } };
  const { read } = await collect(annotated('wardle/api'), {
    ...objects,
    [`${inNamespace}/certificates/api`]: { ...certificate, spec, ...status('Ready', 'True') },
    [`${certManager}/clusterissuers/own`]: issuer,
  });
  expect(read).toContain('/api/v1/namespaces/cert-manager/secrets/own-ca');
});

test('the Lease of the cainjector, if the caBundle is another one', async () => {
  const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/cert-manager-cainjector-leader-election';
  const spec = { holderIdentity: 'pod-1', renewTime: '2026-06-15T12:00:00Z', leaseDurationSeconds: 60 };
  const { found } = await collect(
    { ...annotated('wardle/api-tls', 'cert-manager.io/inject-ca-from-secret'), caBundle: '' },
    { ...objects, [lease]: { metadata: {}, spec } },
  );
  expect(found?.lease).toEqual({ state: 'seen', value: { holder: 'pod-1', renewed: spec.renewTime, durationSeconds: 60 } });
});
