import { describe, expect, test } from 'vitest';
import { account, apiService, binding, clusterBinding, clusterRole, deployment, role, rule, service, snapshotOf } from './manifests.ts';

/** The permissions of the ServiceAccount wardle/api, by the RBAC objects of the files. */

const delegator = 'system:auth-delegator';
const reader = 'extension-apiserver-authentication-reader';
const configMap = 'extension-apiserver-authentication';
const server = [apiService(), service(), deployment()];
const delegation = (...objects: readonly object[]) => snapshotOf(...server, ...objects).delegation;
const tokens = rule('authentication.k8s.io', 'tokenreviews', 'create');
const access = rule('authorization.k8s.io', 'subjectaccessreviews', 'create');
const named = (kind: string, name: string) => ({ kind, apiGroup: 'rbac.authorization.k8s.io', name });

describe('TokenReviews and SubjectAccessReviews', () => {
  test.each<[string, boolean | undefined, readonly object[]]>([
    ['the built-in ClusterRole', true, [clusterBinding(delegator)]],
    ['cluster-admin', true, [clusterBinding('cluster-admin')]],
    ['a ClusterRole with the rules', true, [clusterRole('r', [tokens, access]), clusterBinding('r')]],
    [
      'cluster-scoped objects with a namespace, which kube-apiserver ignores',
      true,
      [clusterRole('r', [tokens, access]), clusterBinding('r')].map((each) => ({ ...each, metadata: { name: 'r', namespace: 'default' } })),
    ],
    ['wildcards', true, [clusterRole('r', [rule('*', '*', '*')]), clusterBinding('r')]],
    ['two ClusterRoles', true, [clusterRole('t', [tokens]), clusterBinding('t'), clusterRole('a', [access]), clusterBinding('a')]],
    [
      'an aggregated ClusterRole',
      true,
      [
        clusterRole('part', [tokens, access], {}, { part: 'yes' }),
        clusterRole('whole', [], { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'yes' } }] } }),
        clusterBinding('whole'),
      ],
    ],
    [
      'aggregated ClusterRoles that select each other',
      true,
      [
        clusterRole('part', [tokens, access], {}, { part: 'yes' }),
        clusterRole('middle', [], { aggregationRule: { clusterRoleSelectors: [{}] } }, { middle: 'yes' }),
        clusterRole('whole', [], { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { middle: 'yes' } }] } }, { middle: 'yes' }),
        clusterBinding('whole'),
      ],
    ],
    [
      'an aggregated ClusterRole whose own rules the controller replaces',
      false,
      [
        clusterRole('part', [tokens], {}, { part: 'yes' }),
        clusterRole(delegator, [tokens, access], { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'yes' } }] } }),
        clusterBinding(delegator),
      ],
    ],
    [
      'an aggregated ClusterRole whose parts are not in the files',
      undefined,
      [
        clusterRole('whole', [tokens, access], { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'yes' } }] } }),
        clusterBinding('whole'),
      ],
    ],
    [
      'a ServiceAccount of the namespace whose name is not similar',
      undefined,
      [clusterBinding(delegator, [{ ...account, name: 'controller' }])],
    ],
    ['the default ServiceAccount, which the server does not use', false, [clusterBinding(delegator, [{ ...account, name: 'default' }])]],
    ['all ServiceAccounts', true, [clusterBinding(delegator, [named('Group', 'system:serviceaccounts')])]],
    ['all ServiceAccounts of the namespace', true, [clusterBinding(delegator, [named('Group', 'system:serviceaccounts:wardle')])]],
    ['all authenticated users', true, [clusterBinding(delegator, [named('Group', 'system:authenticated')])]],
    ['the user of the ServiceAccount', true, [clusterBinding(delegator, [named('User', 'system:serviceaccount:wardle:api')])]],
    [
      'a subject without a namespace, which kube-apiserver rejects',
      false,
      [clusterBinding(delegator, [{ kind: 'ServiceAccount', name: 'api' }])],
    ],
    ['a ServiceAccount of another namespace', false, [clusterBinding(delegator, [{ ...account, namespace: 'default' }])]],
    ['a ServiceAccount of another name', false, [clusterBinding(delegator, [{ ...account, name: 'apy' }])]],
    ['a RoleBinding, which grants nothing outside of its namespace', false, [binding('wardle', 'ClusterRole', delegator)]],
    ['a ClusterRole of the files without the rules', false, [clusterRole(delegator, [tokens]), clusterBinding(delegator)]],
    ['no RBAC', undefined, []],
    ['RBAC for other things', undefined, [clusterRole('r', [rule('', 'pods', 'get')]), clusterBinding('r')]],
    ['the delegator of an unrelated server', undefined, [clusterBinding(delegator, [{ ...account, name: 'x', namespace: 'y' }])]],
    [
      'a ClusterRole that is not in the files',
      undefined,
      [clusterBinding('unknown'), clusterBinding(delegator, [{ ...account, namespace: 'default' }])],
    ],
    [
      'the delegator of another server of the files',
      undefined,
      [deployment({ serviceAccountName: 'other' }, {}, { name: 'other' }), clusterBinding(delegator, [{ ...account, name: 'other' }])],
    ],
  ])('%s: %s', (_, allowed, objects) => {
    const observed = delegation(...objects, binding('kube-system', 'Role', reader));
    // A ClusterRole that is not in the files leaves everything open, unless it is granted.
    expect(observed).toMatchObject({ state: 'seen', value: { mayReadAuthentication: true } });
    expect(observed.state === 'seen' && observed.value.mayReview).toBe(allowed);
  });
});

describe('the ConfigMap', () => {
  test.each<[string, boolean | undefined, readonly object[]]>([
    ['the built-in Role', true, [binding('kube-system', 'Role', reader)]],
    ['the built-in Role, in a namespace that kubectl sets', true, [binding(undefined, 'Role', reader)]],
    [
      'a Role with the rule',
      true,
      [role('kube-system', 'r', [rule('', 'configmaps', 'get', configMap)]), binding('kube-system', 'Role', 'r')],
    ],
    ['a ClusterRole', true, [clusterRole('r', [rule('', 'configmaps', 'get')]), clusterBinding('r')]],
    ['a ClusterRole in kube-system', true, [clusterRole('r', [rule('', 'configmaps', 'get')]), binding('kube-system', 'ClusterRole', 'r')]],
    ['the namespace of the server', false, [binding('wardle', 'Role', reader)]],
    ['another ServiceAccount', false, [binding('kube-system', 'Role', reader, [{ ...account, namespace: 'default' }])]],
    [
      'a subject without a namespace, which is in that of the binding',
      false,
      [binding('kube-system', 'Role', reader, [{ kind: 'ServiceAccount', name: 'api' }])],
    ],
    ['the built-in ClusterRole view', true, [binding('kube-system', 'ClusterRole', 'view')]],
    ['another ConfigMap', undefined, [role('kube-system', 'r', [rule('', 'configmaps', 'get', 'x')]), binding('kube-system', 'Role', 'r')]],
    ['another namespace', undefined, [role('wardle', 'r', [rule('', 'configmaps', 'get')]), binding('wardle', 'Role', 'r')]],
  ])('%s: %s', (_, allowed, objects) => {
    const observed = delegation(...objects, clusterBinding(delegator));
    expect(observed.state === 'seen' && observed.value.mayReadAuthentication).toBe(allowed);
  });
});

test('a binding that misses the ServiceAccount is named', () => {
  const observed = delegation(binding('wardle', 'Role', reader), clusterBinding(delegator, [{ ...account, namespace: 'default' }]));
  expect(observed).toMatchObject({
    value: {
      account: 'system:serviceaccount:wardle:api',
      misses: [
        {
          permission: 'review',
          kind: 'ClusterRoleBinding',
          name: delegator,
          path: ['subjects', 0],
          words: expect.stringContaining('default/api'),
        },
        { permission: 'read-authentication', kind: 'RoleBinding', namespace: 'wardle', name: reader, path: ['metadata', 'namespace'] },
      ],
    },
  });
});

test.each([
  ['tokenreviews', access, ['TokenReviews']],
  ['subjectaccessreviews', tokens, ['SubjectAccessReviews']],
])('a ClusterRole without %s denies only these', (_, granted, denied) => {
  const observed = delegation(clusterRole(delegator, [granted]), clusterBinding(delegator));
  expect(observed).toMatchObject({ value: { mayReview: false, deniedReviews: denied } });
});

test.each(['serviceAccountName', 'serviceAccount'])('an account that another workload uses by %s is not taken for a slip', (field) => {
  const other = { ...deployment({ serviceAccountName: undefined, [field]: 'other' }, {}, { name: 'other' }) };
  expect(delegation(other, clusterBinding(delegator, [{ ...account, name: 'other' }]))).toMatchObject({ state: 'unseen' });
});

test('a server with a kubeconfig needs no permissions of its ServiceAccount', () => {
  const args = ['--secure-port=8443', '--authentication-kubeconfig=/k', '--authorization-kubeconfig=/k'];
  expect(snapshotOf(apiService(), service(), deployment({}, { args })).delegation).toMatchObject({ reason: 'skipped' });
});

test('RBAC that is not in the files is not denied', () => {
  expect(delegation()).toEqual({
    state: 'unseen',
    reason: 'not-given',
    words: 'no RBAC in the files grants them to system:serviceaccount:wardle:api',
  });
  expect(delegation(clusterBinding('unknown'))).toMatchObject({ words: 'ClusterRole unknown is not in the files' });
});

describe('who may update the APIService', () => {
  const writers = (...objects: readonly object[]) => snapshotOf(...server, ...objects).related?.writers;
  const update = (...names: readonly string[]) => rule('apiregistration.k8s.io', 'apiservices', 'update', ...names);

  test.each<[string, readonly object[], number]>([
    ['any', [clusterRole('r', [update()]), clusterBinding('r')], 1],
    ['by its name', [clusterRole('r', [update('v1.example.com')]), clusterBinding('r')], 1],
    ['a user', [clusterRole('r', [update()]), clusterBinding('r', [named('User', 'jane')])], 0],
    ['by another name', [clusterRole('r', [update('v1.other.com')]), clusterBinding('r')], 0],
    ['only reading', [clusterRole('r', [rule('apiregistration.k8s.io', 'apiservices', 'get')]), clusterBinding('r')], 0],
    ['in a namespace, which has no APIServices', [clusterRole('r', [update()]), binding('wardle', 'ClusterRole', 'r')], 0],
  ])('%s', (_, objects, count) => {
    expect(writers(...objects)).toEqual(Array(count).fill('ServiceAccount wardle/api'));
  });
});
