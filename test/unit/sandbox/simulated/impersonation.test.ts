import { expect, test } from 'vitest';
import { createAuthorizer } from '../../../../src/sandbox/simulated/authorization.ts';
import { impersonate } from '../../../../src/sandbox/simulated/impersonation.ts';
import { createStore } from '../../../../src/sandbox/simulated/store.ts';
import { admin, bind, failureOf, jane, put, withHeaders } from './identities.ts';

const store = createStore(() => new Date(0));
const mayI = createAuthorizer(store, '1.37');
put(store, 'ClusterRole', 'be-bob', { rules: [{ verbs: ['impersonate'], apiGroups: [''], resources: ['users'], resourceNames: ['bob'] }] });
bind(store, 'ClusterRoleBinding', 'be-bob', 'ClusterRole/be-bob', 'User/jane');

const asBob = ['Impersonate-User', 'bob'] as const;

test('a request without such headers is its sender`s', () => {
  expect(impersonate(jane, withHeaders(['Accept', '*/*']), mayI)).toBe(jane);
});

// Recorded from kube-apiserver 1.37.2 with SelfSubjectReviews.
test.each([
  ['a user', [asBob], { name: 'bob', groups: ['system:authenticated'], extra: {} }],
  [
    'everything',
    [
      asBob,
      ['Impersonate-Group', 'g,h'],
      ['Impersonate-Group', 'i'],
      ['Impersonate-Uid', 'u1'],
      ['Impersonate-Extra-Foo%2fBar', 'v1'],
      ['Impersonate-Extra-Foo%2fbar', 'v2'],
      ['Impersonate-Extra-scopes', 'v3'],
    ],
    { name: 'bob', uid: 'u1', groups: ['g,h', 'i', 'system:authenticated'], extra: { 'foo/bar': ['v1', 'v2'], scopes: ['v3'] } },
  ],
  [
    'a ServiceAccount',
    [['Impersonate-User', 'system:serviceaccount:default:default']],
    {
      name: 'system:serviceaccount:default:default',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
      extra: {},
    },
  ],
  [
    'a ServiceAccount in groups',
    [
      ['Impersonate-User', 'system:serviceaccount:default:default'],
      ['Impersonate-Group', 'g'],
    ],
    { name: 'system:serviceaccount:default:default', groups: ['g', 'system:authenticated'], extra: {} },
  ],
  ['nobody', [['Impersonate-User', 'system:anonymous']], { name: 'system:anonymous', groups: ['system:unauthenticated'], extra: {} }],
  [
    'somebody unknown',
    [asBob, ['Impersonate-Group', 'system:unauthenticated']],
    { name: 'bob', groups: ['system:unauthenticated'], extra: {} },
  ],
  [
    'a key whose escapes are damaged',
    [asBob, ['Impersonate-Extra-100%', 'v']],
    { name: 'bob', groups: ['system:authenticated'], extra: { '100%': ['v'] } },
  ],
] as const)('%s', (_, lines, user) => {
  expect(impersonate(admin, withHeaders(...lines), mayI)).toEqual(user);
});

test.each([
  [
    [['Impersonate-User', 'alice']],
    'users "alice" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope',
  ],
  [
    [asBob, ['Impersonate-Group', 'g']],
    'groups "g" is forbidden: User "jane" cannot impersonate resource "groups" in API group "" at the cluster scope',
  ],
  [
    [asBob, ['Impersonate-Uid', 'u']],
    'uids.authentication.k8s.io "u" is forbidden: User "jane" cannot impersonate resource "uids" in API group "authentication.k8s.io" at the cluster scope',
  ],
  [
    [asBob, ['Impersonate-Extra-scopes', 'v3']],
    'userextras.authentication.k8s.io "v3" is forbidden: User "jane" cannot impersonate resource "userextras/scopes" in API group "authentication.k8s.io" at the cluster scope',
  ],
  [
    [['Impersonate-User', 'system:serviceaccount:default:robot']],
    'serviceaccounts "robot" is forbidden: User "jane" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "default"',
  ],
  [
    [['Impersonate-User', 'system:serviceaccount:default:No']],
    'users "system:serviceaccount:default:No" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope',
  ],
] as const)('who may not: %o', (lines, message) => {
  expect(failureOf(() => impersonate(jane, withHeaders(...lines), mayI))).toMatchObject({ code: 403, message });
});

test.each([[[['Impersonate-Group', 'g']]], [[['Impersonate-Uid', 'u']]]] as const)('no user is named: %o', (lines) => {
  expect(failureOf(() => impersonate(admin, withHeaders(...lines), mayI))).toMatchObject({ code: 400 });
});
