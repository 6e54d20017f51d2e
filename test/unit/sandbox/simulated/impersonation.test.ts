import { expect, test } from 'vitest';
import { createAuthorizer } from '../../../../src/sandbox/simulated/authorization.ts';
import { impersonate } from '../../../../src/sandbox/simulated/impersonation.ts';
import { createStore } from '../../../../src/sandbox/simulated/store.ts';
import { admin, bind, failureOf, jane, put, withHeaders } from './identities.ts';

const store = createStore(() => new Date(0));
const authorize = createAuthorizer(store);
put(store, 'ClusterRole', 'be-bob', { rules: [{ verbs: ['impersonate'], apiGroups: [''], resources: ['users'], resourceNames: ['bob'] }] });
bind(store, 'ClusterRoleBinding', 'be-bob', 'ClusterRole/be-bob', 'User/jane');

const asBob = ['Impersonate-User', 'bob'] as const;

test('a request without such headers keeps its user', () => {
  expect(impersonate(jane, withHeaders(['Accept', '*/*']), authorize)).toBe(jane);
});

// Recorded from kube-apiserver 1.37.2 with SelfSubjectReviews.
test.each([
  ['a user', [asBob], { name: 'bob', groups: ['system:authenticated'], extra: {} }],
  [
    'a user in groups',
    [asBob, ['Impersonate-Group', 'g,h'], ['Impersonate-Group', 'i']],
    { name: 'bob', groups: ['g,h', 'i', 'system:authenticated'], extra: {} },
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
  [
    'the anonymous user',
    [['Impersonate-User', 'system:anonymous']],
    { name: 'system:anonymous', groups: ['system:unauthenticated'], extra: {} },
  ],
  [
    'an unauthenticated user',
    [asBob, ['Impersonate-Group', 'system:unauthenticated']],
    { name: 'bob', groups: ['system:unauthenticated'], extra: {} },
  ],
] as const)('%s', (_, lines, user) => {
  expect(impersonate(admin, withHeaders(...lines), authorize)).toEqual(user);
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
    [['Impersonate-User', 'system:serviceaccount:default:robot']],
    'serviceaccounts "robot" is forbidden: User "jane" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "default"',
  ],
  [
    [['Impersonate-User', 'system:serviceaccount:default:No']],
    'users "system:serviceaccount:default:No" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope',
  ],
] as const)('forbidden: %o', (lines, message) => {
  expect(failureOf(() => impersonate(jane, withHeaders(...lines), authorize))).toMatchObject({ code: 403, message });
});

test('groups without a user', () => {
  expect(failureOf(() => impersonate(admin, withHeaders(['Impersonate-Group', 'g']), authorize))).toMatchObject({ code: 400 });
});

test.each([['Impersonate-Uid'], ['Impersonate-Extra-scopes']])('%s is not simulated', (name) => {
  expect(failureOf(() => impersonate(admin, withHeaders(asBob, [name, 'x']), authorize))).toMatchObject({ code: 501 });
});
