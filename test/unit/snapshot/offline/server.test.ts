import { describe, expect, test } from 'vitest';
import { apiService, deployment, namespace, object, servesFrom, service, snapshotOf, template } from './manifests.ts';
import { caBundle, lint, secret } from './serving.ts';

/** The server behind an APIService, as files describe it. */

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
