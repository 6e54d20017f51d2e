import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ApiFailure } from '../../../../src/sandbox/shared/failure.ts';
import { readProtobuf } from '../../../../src/sandbox/simulated/protobuf.ts';

const read = (base64: string, group = '') => readProtobuf(Buffer.from(base64, 'base64'), { group });
const rbac = 'rbac.authorization.k8s.io';

// Recorded from kubectl 1.37.2.
test.each([
  [
    'create namespace team',
    '',
    'azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhwKFAoEdGVhbRIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==',
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } },
  ],
  [
    'create configmap c --from-literal=key=value -n team',
    '',
    'azhzAAoPCgJ2MRIJQ29uZmlnTWFwEiUKFQoBYxIAGgR0ZWFtIgAqADIAOABCABIMCgNrZXkSBXZhbHVlGgAiAA==',
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'team' }, data: { key: 'value' } },
  ],
  [
    'create secret generic s --from-literal=password=secret -n team',
    '',
    'azhzAAoMCgJ2MRIGU2VjcmV0Ei0KFQoBcxIAGgR0ZWFtIgAqADIAOABCABISCghwYXNzd29yZBIGc2VjcmV0GgAaACIA',
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'team' }, data: { password: 'c2VjcmV0' } },
  ],
  [
    'create clusterrolebinding b --clusterrole=reader --user=jane --serviceaccount=team:default',
    rbac,
    'azhzAAoyChxyYmFjLmF1dGhvcml6YXRpb24uazhzLmlvL3YxEhJDbHVzdGVyUm9sZUJpbmRpbmcSkwEKEQoBYhIAGgAiACoAMgA4AEIAEikKBFVzZXISGXJiYWMuYXV0aG9yaXphdGlvbi5rOHMuaW8aBGphbmUiABIhCg5TZXJ2aWNlQWNjb3VudBIAGgdkZWZhdWx0IgR0ZWFtGjAKGXJiYWMuYXV0aG9yaXphdGlvbi5rOHMuaW8SC0NsdXN0ZXJSb2xlGgZyZWFkZXIaACIA',
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'b' },
      subjects: [
        { kind: 'User', apiGroup: rbac, name: 'jane' },
        { kind: 'ServiceAccount', name: 'default', namespace: 'team' },
      ],
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'reader' },
    },
  ],
  [
    'auth can-i get pods -n team',
    'authorization.k8s.io',
    'azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSOQoQCgASABoAIgAqADIAOABCABIbChkKBHRlYW0SA2dldBoAIgAqBHBvZHMyADoAGggIABIAGgAgABoAIgA=',
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { namespace: 'team', verb: 'get', resource: 'pods' } },
    },
  ],
  [
    'create token default -n team --duration=1h',
    '',
    'azhzAAooChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESDFRva2VuUmVxdWVzdBIdChAKABIAGgAiACoAMgA4AEIAEgMgkBwaBAoAEgAaACIA',
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
  ],
])('kubectl %s', (_, group, body, object) => {
  expect(read(body, group)).toEqual(object);
});

test('an unknown kind is refused with an alternative', () => {
  // A DaemonSet without anything.
  const type = Buffer.concat([Buffer.from([10, 7]), Buffer.from('apps/v1'), Buffer.from([18, 9]), Buffer.from('DaemonSet')]);
  const body = Buffer.concat([Buffer.from('k8s\0'), Buffer.from([10, type.length]), type]);
  expect(() => readProtobuf(body, { group: 'apps' })).toThrow(/DaemonSet in protobuf \(kubectl create -f sends JSON\) are not simulated/);
});

test.each([
  ['a number as the object', [0x10, 0x05]],
  ['a number as the kind', [0x0a, 0x02, 0x10, 0x05]],
])('%s is refused as kube-apiserver does', (_, bytes) => {
  expect(() => readProtobuf(Buffer.concat([Buffer.from('k8s\0'), Buffer.from(bytes)]), { group: '' })).toThrow(/^wrong wireType = 0$/);
});

test('bytes that are not a message are refused', () => {
  const [recorded] = ['azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhwKFAoEdGVhbRIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA=='].map((text) =>
    Buffer.from(text, 'base64'),
  );
  fc.assert(
    fc.property(fc.nat(90), fc.uint8Array({ maxLength: 20 }), (keep, noise) => {
      const body = Buffer.concat([recorded?.subarray(0, keep) ?? Buffer.of(), noise]);
      try {
        readProtobuf(body, { group: '' });
      } catch (error) {
        expect(error instanceof RangeError || error instanceof ApiFailure).toBe(true);
      }
    }),
  );
});
