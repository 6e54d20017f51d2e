import { describe, expect, test } from 'vitest';
import { apiService, clusterBinding, clusterRole, host, namespace, object, rule, servesFrom, service } from './manifests.ts';
import { lint } from './serving.ts';

/** Who writes the caBundle of an APIService, as files describe it. */

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
