import { describe, expect, test } from 'vitest';
import { projectAnnotation } from '../../../../src/manifests/labels.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import { findProject } from '../../../../src/operations/from-cluster/find.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';
import { apiService, withMetadata } from '../objects.ts';
import { rejection } from '../waiting.ts';

const object = (kind: string, name: string, spec: object, annotations: object = {}) =>
  ({ apiVersion: 'v1', kind, metadata: { name, namespace: 'wardle', annotations }, spec }) as unknown as KubeObject;

const port = { name: 'https', port: 443, targetPort: 8443 };
const service = object('Service', 'api', { selector: { app: 'api' }, ports: [port] });
const controlledBy = (kind: string, name: string): object => ({ ownerReferences: [{ kind, name, controller: true }] });
const container = { name: 'server', args: ['--secure-port=8443', '--cert-dir=/tmp'], ports: [{ containerPort: 8443 }] };
const pod = withMetadata(object('Pod', 'api-1', { containers: [container] }), controlledBy('ReplicaSet', 'set'));
const set = withMetadata(object('ReplicaSet', 'set', {}), controlledBy('Deployment', 'server'));
const deployment: KubeObject = {
  ...object('Deployment', 'server', { template: { spec: { containers: [container] } } }),
  apiVersion: 'apps/v1',
};
const certificate = (spec: object) => object('Certificate', 'api-tls', { secretName: 'api-tls', issuerRef: { name: 'ca' }, ...spec });

const insecure = { ...apiService, spec: { ...(apiService.spec as object), insecureSkipTLSVerify: true } } as KubeObject;
const named = (one: KubeObject, name: string, more: object = {}): KubeObject => {
  const [version = '', ...group] = name.split('.');
  return {
    ...one,
    metadata: { ...one.metadata, name },
    spec: { ...(one.spec as object), version, group: group.join('.'), ...more },
  } as KubeObject;
};
const annotated = (one: KubeObject, annotations: object): KubeObject => withMetadata(one, { annotations });
const injected = annotated(apiService, { 'cert-manager.io/inject-ca-from': 'wardle/api-tls' });

/** Looks at a cluster with these objects, and checks that nothing else than GET is sent. */
async function find(apiServices: readonly KubeObject[], objects: readonly KubeObject[]) {
  const cluster = await clusterOf(({ method, url }, response) => {
    expect(method).toBe('GET');
    const path = url.split('?')[0] ?? '';
    const list = (items: readonly KubeObject[]) => answer(response, 200, { metadata: { resourceVersion: '1' }, items });
    if (path.endsWith('/apiservices')) return list(apiServices);
    const kind = [
      ['/pods', 'Pod'],
      ['/endpointslices', 'EndpointSlice'],
    ].find(([end = '']) => path.endsWith(end))?.[1];
    if (kind !== undefined) return list(objects.filter((each) => each.kind === kind));
    const one = objects.find(({ kind, metadata }) => path.endsWith(`/${kind.toLowerCase()}s/${metadata.name}`));
    return one ? answer(response, 200, one) : answer(response, 404, notFound(url));
  });
  return findProject({ cluster, signal: never, onProgress: () => {} }, 'v1.example.com');
}

const running = [service, pod, set, deployment];
const fault = (apiServices: readonly KubeObject[], objects: readonly KubeObject[] = running) => rejection(find(apiServices, objects));
const refusal = (message: string | RegExp) => ({ exitCode: 1, message: expect.stringMatching(message) });

describe('a registration without verification', () => {
  test('gets the issuer type insecure, and all APIServices of the Service', async () => {
    const { registration, canSecure, configuration } = await find(
      [insecure, named(insecure, 'v2.example.com', { versionPriority: 20 })],
      running,
    );
    expect(registration).toMatchObject({
      metadata: { name: 'server', namespace: 'wardle' },
      spec: {
        apis: [
          { group: 'example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15 },
          { group: 'example.com', version: 'v2', groupPriorityMinimum: 1000, versionPriority: 20 },
        ],
        service: { name: 'api', port: 443, portName: 'https' },
        server: { existing: { selector: { app: 'api' }, port: 8443 } },
        certificates: { issuer: { type: 'insecure' } },
      },
    });
    expect(registration.spec.server.existing).not.toHaveProperty('deployment');
    expect(canSecure).toBe(true);
    expect(configuration).toContain('`apisvc init --from-cluster` created this file from the');
    expect(configuration).not.toContain('external');
  });

  test('names secure only where it works', async () => {
    const ofStatefulSet = withMetadata(pod, controlledBy('StatefulSet', 'db'));
    expect(await find([insecure], [service, ofStatefulSet])).toMatchObject({
      canSecure: false,
      registration: { metadata: { name: 'api' } },
    });
    const other = annotated(insecure, { 'cert-manager.io/inject-ca-from': 'wardle/api-tls' });
    expect(await find([other], running)).toMatchObject({
      canSecure: false,
      registration: { spec: { certificates: { issuer: { type: 'insecure' } } } },
    });
  });

  test('outside the cluster has the addresses of the endpoints', async () => {
    const slice = {
      ...object('EndpointSlice', 'api', {}),
      endpoints: [
        { addresses: ['192.0.2.10'] },
        { addresses: ['192.0.2.11'] },
        { addresses: ['192.0.2.12'], conditions: { ready: false } },
      ],
      ports: [{ name: 'https', port: 6443 }],
    } as KubeObject;
    const outside = object('Service', 'api', { ports: [port] });
    expect(await find([insecure], [outside, slice])).toMatchObject({
      canSecure: false,
      registration: {
        metadata: { name: 'api' },
        spec: {
          server: { external: { addresses: ['192.0.2.10', '192.0.2.11'], port: 6443 } },
          certificates: { issuer: { type: 'insecure' } },
        },
      },
    });
    expect(await fault([apiService], [outside, slice])).toMatchObject(refusal(/^cannot tell which CA signs .* outside the cluster$/));
    expect(await fault([insecure], [outside])).toMatchObject(refusal(/no selector and no ready endpoint on port 443/));
    const alias = object('Service', 'api', { type: 'ExternalName', externalName: 'api.example.com', ports: [port] });
    expect(await fault([insecure], [alias])).toMatchObject(
      refusal(/has the type ExternalName \(api\.example\.com\), which apisvc\.yaml does not support$/),
    );
  });
});

describe('a Certificate of cert-manager', () => {
  test('gives the issuer and what it asks for', async () => {
    const spec = {
      issuerRef: { name: 'ca', kind: 'ClusterIssuer' },
      duration: '2160h0m0s',
      privateKey: { algorithm: 'ECDSA', size: 384 },
      dnsNames: ['api.wardle.svc', 'api.wardle', 'api.example.com'],
    };
    const { registration, canSecure } = await find([injected], [...running, certificate(spec)]);
    expect(registration.spec.certificates).toMatchObject({
      issuer: { type: 'cert-manager', issuerRef: { name: 'ca', kind: 'ClusterIssuer', group: 'cert-manager.io' } },
      keyType: 'ecdsa-p384',
      lifetime: '90d',
      dnsNames: ['api.example.com'],
    });
    expect(canSecure).toBe(false);
  });

  test('of an issuer of another group keeps its kind', async () => {
    const issuerRef = { name: 'ca', kind: 'AWSPCAIssuer', group: 'awspca.cert-manager.io' };
    const { registration } = await find([injected], [...running, certificate({ issuerRef })]);
    expect(registration.spec.certificates.issuer).toMatchObject({ issuerRef });
  });

  test("with cert-manager's defaults", async () => {
    const { registration } = await find([injected], [...running, certificate({})]);
    expect(registration.spec.certificates).toMatchObject({
      issuer: { issuerRef: { name: 'ca', kind: 'Issuer' } },
      keyType: 'rsa-2048',
      lifetime: '90d',
    });
  });

  test.each([
    ['that is not there', [], /^the annotation .* refers to Certificate wardle\/api-tls, which does not exist$/],
    [
      'with another type of key',
      [certificate({ privateKey: { algorithm: 'Ed25519', size: 0 } })],
      /key of type Ed25519 0, which apisvc\.yaml does not support$/,
    ],
  ])('%s is refused', async (_, certificates, message) => {
    expect(await fault([injected], [...running, ...certificates])).toMatchObject(refusal(message));
  });

  test('with another name than its Secret is refused, with the command for all APIServices', async () => {
    const second = named(injected, 'v2.example.com');
    expect(await fault([injected, second], [...running, certificate({ secretName: 'x y' })])).toMatchObject({
      message: 'Certificate wardle/api-tls writes Secret x y; in an apisvc project, the Certificate and its Secret must have the same name',
      fix: "Replace the Certificate with one named x y. Then update the annotation: kubectl annotate --overwrite apiservice v1.example.com v2.example.com cert-manager.io/inject-ca-from='wardle/x y'",
    });
  });

  test('in another namespace, or not named by the annotation, is refused', async () => {
    const elsewhere = annotated(apiService, { 'cert-manager.io/inject-ca-from': 'other/api-tls' });
    expect(await fault([elsewhere])).toMatchObject({
      message: expect.stringMatching(/^Certificate other\/api-tls is not in namespace wardle, the namespace of the Service;/),
      fix: 'Create the Certificate in namespace wardle. Then update the annotation: kubectl annotate --overwrite apiservice v1.example.com cert-manager.io/inject-ca-from=wardle/api-tls',
    });
    const bySecret = annotated(apiService, { 'cert-manager.io/inject-ca-from-secret': 'wardle/ca' });
    expect(await fault([bySecret])).toMatchObject(refusal(/has the annotation cert-manager\.io\/inject-ca-from-secret instead of/));
  });
});

describe('what a project does not support is refused', () => {
  test.each([
    [
      'several issuers',
      [insecure, named(apiService, 'v2.example.com')],
      /apiservice\/v1\.example\.com has insecureSkipTLSVerify, but apiservice\/v2\.example\.com verifies/,
    ],
    [
      'an injector for some',
      [injected, named(apiService, 'v2.example.com')],
      /has the annotation cert-manager\.io\/inject-ca-from, but apiservice\/v2/,
    ],
    [
      'several ports',
      [insecure, named(insecure, 'v2.example.com', { service: { name: 'api', namespace: 'wardle', port: 8443 } })],
      /^the APIServices of Service wardle\/api use several ports/,
    ],
    [
      'other projects',
      [annotated(insecure, { [projectAnnotation]: 'other/demo' })],
      /^the APIServices of Service wardle\/api belong to other apisvc projects: other\/demo$/,
    ],
  ])('%s', async (_, apiServices, message) => {
    expect(await fault(apiServices)).toMatchObject(refusal(message));
  });

  test('a certificate that is in no Secret', async () => {
    expect(await fault([apiService])).toMatchObject(
      refusal(
        /^cannot tell which Secret has the serving certificate of Service wardle\/api: the server reads or creates its certificate in \/tmp/,
      ),
    );
  });
});

test('a project of apisvc keeps its name', async () => {
  const owned = annotated(insecure, { [projectAnnotation]: 'wardle/demo' });
  // secure would give the project the name of the Deployment.
  expect(await find([owned], running)).toMatchObject({ registration: { metadata: { name: 'demo' } }, canSecure: false });
  const same = annotated(insecure, { [projectAnnotation]: 'wardle/server' });
  expect(await find([same], running)).toMatchObject({ registration: { metadata: { name: 'server' } }, canSecure: true });
});
