import { describe, expect, test } from 'vitest';
import { apiService, clusterBinding, clusterRole, deployment, host, namespace, object, rule, servesFrom, service } from './manifests.ts';
import { caBundle, good, lint, pairFor, secret } from './serving.ts';

/** Where a server has its certificate from, as files describe it. */

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
    expect(findings[0]?.title).toMatch(/^Deployment wardle\/api mounts /);
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
