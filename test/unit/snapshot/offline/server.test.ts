import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../../src/diagnosis/diagnose.ts';
import { extendedKeyUsage, subjectAltName } from '../../../../src/pki/extensions.ts';
import { toPrivateKey } from '../../../../src/pki/keys.ts';
import { make, makeCa } from '../../pki/certificates.ts';
import {
  apiService,
  clusterBinding,
  clusterRole,
  deployment,
  host,
  namespace,
  now,
  object,
  rule,
  servesFrom,
  service,
  snapshotOf,
  template,
} from './manifests.ts';

/** The server behind an APIService, as files describe it. */

const ca = await makeCa({ commonName: 'CA' });
async function pairFor(name: string) {
  const extensions = [subjectAltName({ dns: [name], ip: [] }, false), extendedKeyUsage(['serverAuth'])];
  const { info, keyPair } = await make({ commonName: name, issuer: ca, extensions });
  return { 'tls.crt': info.pem, 'tls.key': toPrivateKey(keyPair.privateKey).reveal() };
}
const good = await pairFor(host);
const caBundle = Buffer.from(ca.info.pem).toString('base64');
const secret = (name: string, stringData: Readonly<Record<string, string>> = good): object =>
  object('v1', 'Secret', { name, namespace }, { stringData });

/** Codes of the findings, and reasons of what was not checked. */
function lint(...objects: readonly object[]) {
  const [api] = diagnose({
    apiVersion: 'apisvc.dev/snapshot/v1alpha1',
    takenAt: now.toISOString(),
    source: { kind: 'files', files: [] },
    apis: [snapshotOf(...objects)],
  }).apis;
  const findings = api?.findings ?? [];
  const notChecked = (api?.notChecked ?? []).filter(({ why }) => !why.startsWith('no RBAC'));
  return { codes: findings.map(({ severity, code }) => `${severity} ${code}`), why: notChecked.map(({ why }) => why), findings };
}

test.each([
  ['without a selector', { selector: {} }],
  ['of type ExternalName', { type: 'ExternalName', externalName: 'a.example.com' }],
])('the server behind a Service %s is not checked', (_, spec) => {
  expect(lint(apiService({ insecureSkipTLSVerify: true }), service(spec), deployment()).why).toContain('the Service selects no pods');
});

describe('the workload that serves', () => {
  const spec = { template: template() };

  test.each<[string, object]>([
    ['Deployment', object('apps/v1', 'Deployment', { name: 'x', namespace }, { spec })],
    ['StatefulSet', object('apps/v1', 'StatefulSet', { name: 'x', namespace }, { spec })],
    ['DaemonSet', object('apps/v1', 'DaemonSet', { name: 'x', namespace }, { spec })],
    ['ReplicaSet', object('apps/v1', 'ReplicaSet', { name: 'x', namespace }, { spec })],
    ['ReplicationController', object('v1', 'ReplicationController', { name: 'x', namespace }, { spec })],
    ['PodTemplate', object('v1', 'PodTemplate', { name: 'x', namespace }, { template: template() })],
    [
      'Pod',
      object('v1', 'Pod', { name: 'x', namespace, labels: { app: 'api' } }, { spec: { containers: [{ args: ['--secure-port=8443'] }] } }),
    ],
    ['a Deployment without a namespace', object('apps/v1', 'Deployment', { name: 'x' }, { spec })],
  ])('%s', (_, workload) => {
    expect(snapshotOf(apiService(), service(), workload).server).toMatchObject({ value: { pod: 'x', flags: ['--secure-port=8443'] } });
  });

  test('has the target port, if the Service selects several', () => {
    const other = deployment({}, { args: [] }, { name: 'other' });
    const found = (workload: object, targetPort: unknown) =>
      snapshotOf(apiService(), service({ ports: [{ port: 443, targetPort }] }), other, workload).server;
    expect(found(deployment(), 8443)).toMatchObject({ value: { pod: 'api' } });
    expect(found(deployment({}, { ports: [{ name: 'https', containerPort: 1 }] }), 'https')).toMatchObject({ value: { pod: 'api' } });
  });

  test('a workload of another namespace does not serve', () => {
    const elsewhere = deployment({}, {}, { namespace: 'other' });
    expect(lint(apiService({ caBundle }), service(), elsewhere).why).toContain('the files contain no workload that the Service selects');
  });

  test('a Service without a selector is not a finding', () => {
    expect(lint(apiService({ caBundle }), service({ selector: undefined }), deployment()).codes).toEqual([]);
  });

  test('the only workload in a namespace, which has the target port and which no Service selects, is an error', () => {
    const { codes, findings } = lint(apiService({ caBundle }), service({ selector: { app: 'apx' } }), deployment());
    expect(codes).toEqual(['error service/selects-no-pod']);
    expect(findings[0]?.evidence).toEqual(['selector of the Service: app=apx', 'labels of the pods of Deployment wardle/api: app=api']);
  });
});

describe('a workload that may not be the server, and that the Service does not select, is a warning', () => {
  const missing = service({ selector: { app: 'apx' } });
  const another = { ...service(), metadata: { name: 'webhook', namespace: 'wardle' } };
  test.each<[string, readonly object[]]>([
    ['another Service selects it', [deployment(), another]],
    ['it has another port', [deployment({}, { args: ['--secure-port=9443'] })]],
    ['there are several', [deployment(), deployment({}, {}, { name: 'other' })]],
  ])('%s', (_, objects) => {
    expect(lint(apiService({ caBundle }), missing, ...objects).codes).toEqual(['warning service/selects-no-pod']);
  });
});

describe('the port', () => {
  const targeting = (targetPort: unknown) => [apiService({ caBundle }), service({ ports: [{ port: 443, targetPort }] })];

  test.each<[string, readonly string[], object]>([
    ['a container has it', [], deployment({}, { ports: [{ name: 'https', containerPort: 8443 }] })],
    [
      'a sidecar has it',
      [],
      deployment({ initContainers: [{ name: 'proxy', restartPolicy: 'Always', ports: [{ name: 'https', containerPort: 1 }] }] }),
    ],
    ['no container has it', ['error service/target-port-unknown'], deployment({}, { ports: [{ name: 'http', containerPort: 8443 }] })],
    ['only UDP has it', ['error service/target-port-unknown'], deployment({}, { ports: [{ name: 'https', protocol: 'UDP' }] })],
  ])('is a name, and %s', (_, codes, workload) => {
    expect(lint(...targeting('https'), workload).codes).toEqual(codes);
  });

  test('is not the one that the server listens on', () => {
    expect(lint(...targeting(443), servesFrom('tls'), secret('tls')).codes).toEqual(['error service/wrong-target-port']);
    expect(lint(...targeting(8443), servesFrom('tls'), secret('tls')).codes).toEqual([]);
  });

  test('may be the one of a proxy in the pod', () => {
    const containers = [
      { name: 'server', args: ['--secure-port=6443'] },
      { name: 'proxy', args: ['--listen=:8443'] },
    ];
    expect(lint(...targeting(8443), deployment({ containers })).codes).toEqual([]);
  });
});

describe('the Secret', () => {
  const base = [apiService({ caBundle }), service()];

  test('in stringData', () => {
    expect(lint(...base, servesFrom('tls'), secret('tls'))).toMatchObject({ codes: [], why: [] });
  });

  test('without flags is the one with a certificate for the Service', async () => {
    const broken = { ...good, 'tls.key': (await pairFor(host))['tls.key'] };
    const { codes, why } = lint(...base, servesFrom('tls', []), secret('tls', broken));
    expect({ codes, why }).toEqual({ codes: ['error security/key-mismatch'], why: [] });
    expect(lint(...base, servesFrom('tls', []), secret('tls', await pairFor('x.y.svc')))).toMatchObject({
      codes: [],
      why: [`the mounted Secret tls does not have a certificate for ${host}`],
    });
  });

  test.each<[string, readonly object[], string]>([
    ['is not in the files', [], 'Secret wardle/tls is not in the files'],
    ['is filled in later', [secret('tls', {})], 'Secret wardle/tls has no certificate in tls.crt yet'],
    ['has a placeholder', [secret('tls', { 'tls.crt': '<your certificate>' })], 'Secret wardle/tls has no certificate in tls.crt yet'],
    [
      'comes from cert-manager',
      [object('cert-manager.io/v1', 'Certificate', { name: 'c', namespace }, { spec: { secretName: 'tls', dnsNames: [host] } })],
      'cert-manager creates Secret wardle/tls (Certificate c)',
    ],
    [
      'comes from OpenShift',
      [service({}, { name: 'other', annotations: { 'service.beta.openshift.io/serving-cert-secret-name': 'tls' } })],
      'OpenShift creates Secret wardle/tls (Service other)',
    ],
  ])('that %s is not checked', (_, objects, words) => {
    expect(lint(...base, servesFrom('tls'), ...objects)).toMatchObject({ codes: [], why: [words] });
  });

  test('that no flag names, and that is filled in later, is not checked', () => {
    expect(lint(...base, servesFrom('tls', []), secret('tls', {}))).toMatchObject({
      codes: [],
      why: ['Secret wardle/tls has no certificate yet'],
    });
  });

  test('with text instead of a certificate is an error', () => {
    expect(lint(...base, servesFrom('tls'), secret('tls', { 'tls.crt': 'soon' })).codes).toEqual(['error cert/secret-unreadable']);
  });

  test('mounted with subPath is a warning that names the workload', () => {
    const workload = deployment(
      { volumes: [{ name: 'pki', secret: { secretName: 'tls' } }] },
      {
        args: ['--secure-port=8443', '--tls-cert-file=/pki/tls.crt'],
        volumeMounts: [{ name: 'pki', mountPath: '/pki/tls.crt', subPath: 'tls.crt' }],
      },
    );
    const { codes, findings } = lint(...base, workload, secret('tls'));
    expect(codes).toEqual(['warning cert/sub-path-mount']);
    expect(findings[0]?.title).toContain('Deployment wardle/api');
  });
});

describe('a server that generates its certificate', () => {
  const generates = (more: Readonly<Record<string, unknown>> = {}, container = {}) =>
    deployment(more, { args: ['--secure-port=8443', '--cert-dir=/tmp'], ...container });
  const mounted = { volumeMounts: [{ name: 'v', mountPath: '/tmp' }] };
  const emptyDir = { volumes: [{ name: 'v', emptyDir: {} }] };
  const error = ['error cert/self-generated'];

  test.each<[string, readonly string[], object]>([
    ['in its container', error, generates()],
    ['in an emptyDir', error, generates(emptyDir, mounted)],
    ['in an emptyDir that an init container fills', [], generates({ ...emptyDir, initContainers: [{ name: 'i', ...mounted }] }, mounted)],
    ['in a directory of the host', [], generates({ volumes: [{ name: 'v', hostPath: { path: '/x' } }] }, mounted)],
    ['in a volume that a StatefulSet claims', [], generates({}, mounted)],
    ['but serves another one to kube-apiserver', [], generates({}, { args: ['--cert-dir=/tmp', '--tls-sni-cert-key=/a,/b'] })],
  ])('%s', (_, codes, workload) => {
    expect(lint(apiService({ caBundle }), service(), workload).codes).toEqual(codes);
  });

  test('is no error if the server sets the caBundle itself, or nothing verifies the certificate', () => {
    const writer = [clusterRole('w', [rule('apiregistration.k8s.io', 'apiservices', 'patch')]), clusterBinding('w')];
    expect(lint(apiService({ caBundle }), service(), generates(), ...writer).codes).toEqual([]);
    expect(lint(apiService({ insecureSkipTLSVerify: true }), service(), generates()).codes).toEqual([
      'warning security/insecure-skip-tls-verify',
    ]);
  });
});

describe('an empty caBundle', () => {
  test('is an error', () => {
    expect(lint(apiService(), service()).codes).toEqual(['error bundle/empty']);
    expect(lint(apiService({ insecureSkipTLSVerify: false }), service()).codes).toEqual(['error bundle/empty']);
  });

  test('is not checked if a ServiceAccount may fill it in', () => {
    const writer = [clusterRole('w', [rule('*', '*', '*')]), clusterBinding('w')];
    expect(lint(apiService(), service(), ...writer)).toMatchObject({
      codes: [],
      why: expect.arrayContaining(['it is empty; ServiceAccount wardle/api may update the APIService and fill it in']),
    });
  });

  test('is not said to be empty if it is a placeholder', () => {
    const writer = [clusterRole('w', [rule('*', '*', '*')]), clusterBinding('w')];
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of envsubst.
    const { codes, why } = lint(apiService({ caBundle: '${CA_BUNDLE}' }), service(), ...writer);
    expect(codes).toEqual(['error bundle/placeholder']);
    expect(why.filter((words) => words.includes('empty'))).toEqual([]);
  });

  test.each([
    'cert-manager.io/inject-ca-from',
    'cert-manager.io/inject-ca-from-secret',
    'service.beta.openshift.io/inject-cabundle',
    'service.alpha.openshift.io/inject-cabundle',
  ])('is fine with the annotation %s', (annotation) => {
    expect(lint(apiService({}, { annotations: { [annotation]: 'true' } }), service()).codes).toEqual([]);
  });
});

describe('the Certificate of cert-manager', () => {
  const certificate = (name: string, spec: object, more = {}) =>
    object('cert-manager.io/v1', 'Certificate', { name, namespace, ...more }, { spec: { secretName: 'tls', dnsNames: [host], ...spec } });
  const injected = (value: string) => apiService({}, { annotations: { 'cert-manager.io/inject-ca-from': value } });
  const missing = 'error bundle/no-such-certificate';

  test.each<[string, readonly string[], string, readonly object[]]>([
    ['is the one of the annotation', [], 'wardle/api', [certificate('api', {})]],
    ['has no namespace in the files', [], 'wardle/api', [certificate('api', {}, { namespace: undefined })]],
    ['has a wildcard', [], 'wardle/api', [certificate('api', { dnsNames: ['*.wardle.svc'] })]],
    ['lacks the name', ['error cert/san-mismatch'], 'wardle/api', [certificate('api', { dnsNames: ['api'] })]],
    ['is a CA, and the server has another', [], 'wardle/ca', [certificate('ca', { isCA: true, dnsNames: [] })]],
    [
      'has names that kustomize replaces',
      [],
      'wardle/api',
      [certificate('api', { dnsNames: ['$(SERVICE_NAME).$(SERVICE_NAMESPACE).svc'] })],
    ],
    ['has names that kustomize replaces now', [], 'wardle/api', [certificate('api', { dnsNames: ['SERVICE_NAME.SERVICE_NAMESPACE.svc'] })]],
    ['has a similar name', [missing], 'wardle/apy', [certificate('api', {})]],
    ['is in another namespace', [missing], 'other/api', [certificate('api', {})]],
    ['has another name, and is for the Service', [missing], 'wardle/serving-cert', [certificate('api', {})]],
    ['is not in the files', [], 'wardle/serving-cert', [certificate('webhook', { dnsNames: ['x.y.svc'] })]],
    ['is a placeholder', [], '$(CERTIFICATE_NAMESPACE)/$(CERTIFICATE_NAME)', [certificate('api', {})]],
  ])('%s', (_, codes, value, objects) => {
    expect(lint(injected(value), service(), ...objects).codes).toEqual(codes);
  });

  test('that is not in the files is not checked', () => {
    expect(lint(injected('wardle/api'), service()).why).toContain('Certificate wardle/api is not in the files');
  });

  test('of the mounted Secret counts, not the one of the annotation', () => {
    const objects = [certificate('client', { secretName: 'client', dnsNames: ['client'] }), certificate('api', {})];
    expect(lint(injected('wardle/client'), service(), servesFrom('tls'), ...objects).codes).toEqual([]);
    const wrong = [certificate('client', { secretName: 'client' }), certificate('api', { dnsNames: ['api'] })];
    expect(lint(injected('wardle/client'), service(), servesFrom('tls'), ...wrong).codes).toEqual(['error cert/san-mismatch']);
  });
});

describe('a Service that is not in the files', () => {
  test.each<[string, readonly string[], object]>([
    ['is in another namespace', ['warning service/not-in-files'], service({}, { namespace: 'other' })],
    ['has nearly the name', ['warning service/not-in-files'], service({}, { name: 'apis' })],
    ['has another name', [], service({}, { name: 'webhook-service' })],
    ['has nearly the name, in another namespace', [], service({}, { name: 'apis', namespace: 'other' })],
  ])('%s', (_, codes, given) => {
    expect(lint(apiService({ caBundle }), given).codes).toEqual(codes);
  });
});
