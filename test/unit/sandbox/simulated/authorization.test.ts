import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forbidden } from '../../../../src/sandbox/shared/failure.ts';
import type { RequestInfo } from '../../../../src/sandbox/shared/request-info.ts';
import { createAuthorizer, rulesOf } from '../../../../src/sandbox/simulated/authorization.ts';
import { createStore } from '../../../../src/sandbox/simulated/store.ts';
import { admin, bind, jane, put, toPath, toResource } from './identities.ts';

const emptyStore = () => createStore(() => new Date(0));
const readPods = { rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }] };

describe('decisions', () => {
  const store = emptyStore();
  put(store, 'ClusterRole', 'reader', readPods);
  put(store, 'Role', 'here/reader', readPods);
  bind(store, 'ClusterRoleBinding', 'jane-reads', 'ClusterRole/reader', 'User/jane');
  bind(store, 'ClusterRoleBinding', 'ops-read', 'ClusterRole/reader', 'Group/nobody', 'Group/ops');
  bind(store, 'RoleBinding', 'here/robot-reads', 'Role/reader', 'ServiceAccount/robot', 'ServiceAccount/there/robot');
  const authorize = createAuthorizer(store);

  test.each([
    ['a user', jane, ''],
    ['a group', { ...jane, name: 'x', groups: ['ops'] }, ''],
    ['a ServiceAccount of the namespace', { ...jane, name: 'system:serviceaccount:here:robot' }, 'here'],
    ['a ServiceAccount of another namespace', { ...jane, name: 'system:serviceaccount:there:robot' }, 'here'],
  ])('%s is allowed by a binding', (_, user, namespace) => {
    expect(authorize(user, toResource('list', 'pods', { namespace }))).toEqual({ allowed: true, reason: '' });
    expect(authorize(user, toResource('delete', 'pods', { namespace }))).toEqual({ allowed: false, reason: '' });
  });

  test('a RoleBinding grants nothing in other namespaces', () => {
    const robot = { ...jane, name: 'system:serviceaccount:here:robot' };
    expect(authorize(robot, toResource('list', 'pods', { namespace: 'there' }))).toEqual({ allowed: false, reason: '' });
    expect(authorize(robot, toResource('list', 'pods'))).toEqual({ allowed: false, reason: '' });
  });

  test('system:masters may do everything', () => {
    expect(authorize(admin, toResource('delete', 'everything'))).toEqual({ allowed: true, reason: '' });
  });
});

describe('what a rule allows', () => {
  const rules = {
    exact: { verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'] },
    all: { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    scales: { verbs: ['update'], apiGroups: ['*'], resources: ['*/scale'] },
    named: { verbs: ['get', 'create'], apiGroups: [''], resources: ['configmaps'], resourceNames: ['one'] },
    urls: { verbs: ['get'], nonResourceURLs: ['/version', '/healthz/*'] },
    everyUrl: { verbs: ['get'], nonResourceURLs: ['*'] },
  };
  const cases: [keyof typeof rules, RequestInfo, boolean][] = [
    ['exact', toResource('get', 'deployments', { group: 'apps' }), true],
    ['exact', toResource('get', 'deployments'), false],
    ['exact', toResource('list', 'deployments', { group: 'apps' }), false],
    ['exact', toResource('get', 'deployments', { group: 'apps', subresource: 'scale' }), false],
    ['all', toResource('delete', 'nodes', { subresource: 'proxy' }), true],
    ['all', toPath('get', '/version'), false],
    ['scales', toResource('update', 'deployments', { group: 'apps', subresource: 'scale' }), true],
    ['scales', toResource('update', 'deployments', { group: 'apps', subresource: 'status' }), false],
    ['scales', toResource('update', 'scale', { group: 'apps' }), false],
    ['named', toResource('get', 'configmaps', { name: 'one' }), true],
    ['named', toResource('get', 'configmaps', { name: 'two' }), false],
    ['named', toResource('create', 'configmaps'), false],
    ['urls', toPath('get', '/version'), true],
    ['urls', toPath('get', '/version/'), false],
    ['urls', toPath('get', '/healthz/etcd'), true],
    ['urls', toPath('get', '/healthz'), false],
    ['urls', toPath('post', '/version'), false],
    ['everyUrl', toPath('get', '/anything'), true],
    ['everyUrl', toResource('get', 'pods'), false],
  ];
  test.each(cases)('%s: %o', (name, info, allowed) => {
    const store = emptyStore();
    put(store, 'ClusterRole', 'role', { rules: [rules[name]] });
    bind(store, 'ClusterRoleBinding', 'binding', 'ClusterRole/role', 'User/jane');
    expect(createAuthorizer(store)(jane, info).allowed).toBe(allowed);
  });
});

test('two bindings allow what one of them allows', () => {
  const words = (...some: string[]) => fc.subarray([...some, '*'], { minLength: 1 });
  const rule = fc.record({ verbs: words('get', 'list'), apiGroups: words('', 'apps'), resources: words('pods', 'pods/log', '*/log') });
  const info = fc
    .record({
      verb: fc.constantFrom('get', 'list', 'delete'),
      group: fc.constantFrom('', 'apps', 'batch'),
      subresource: fc.constantFrom('', 'log', 'status'),
    })
    .map(({ verb, ...more }) => toResource(verb, 'pods', more));
  const allowedBy = (request: RequestInfo, ...roles: object[]): boolean => {
    const store = emptyStore();
    for (const [index, each] of roles.entries()) {
      put(store, 'ClusterRole', `role-${index}`, { rules: [each] });
      bind(store, 'ClusterRoleBinding', `binding-${index}`, `ClusterRole/role-${index}`, 'User/jane');
    }
    return createAuthorizer(store)(jane, request).allowed;
  };
  fc.assert(
    fc.property(rule, rule, info, (one, other, request) => {
      expect(allowedBy(request, one, other)).toBe(allowedBy(request, one) || allowedBy(request, other));
    }),
  );
});

describe('aggregated ClusterRoles', () => {
  const rule = (resource: string) => ({ verbs: ['get'], apiGroups: [''], resources: [resource] });
  const selecting = (...clusterRoleSelectors: object[]) => ({ aggregationRule: { clusterRoleSelectors }, rules: [rule('stale')] });

  test('have the rules of the selected roles, recursively', () => {
    const store = emptyStore();
    const whole = put(store, 'ClusterRole', 'whole', selecting({ matchLabels: { part: 'a' } }));
    put(store, 'ClusterRole', 'middle', { metadata: { labels: { part: 'a' } }, ...selecting({ matchLabels: { part: 'b' } }) });
    put(store, 'ClusterRole', 'z', { metadata: { labels: { part: 'a' } }, rules: [rule('pods')] });
    expect(rulesOf(store, whole)).toEqual([rule('pods')]);
    put(store, 'ClusterRole', 'late', { metadata: { labels: { part: 'b' } }, rules: [rule('secrets'), rule('pods')] });
    expect(rulesOf(store, whole)).toEqual([rule('secrets'), rule('pods'), rule('pods')]);
  });

  test('that include each other terminate', () => {
    const store = emptyStore();
    const one = put(store, 'ClusterRole', 'one', { metadata: { labels: { part: 'b' } }, ...selecting({ matchLabels: { part: 'a' } }) });
    put(store, 'ClusterRole', 'two', { metadata: { labels: { part: 'a' } }, ...selecting({ matchLabels: { part: 'b' } }) });
    put(store, 'ClusterRole', 'three', { metadata: { labels: { part: 'a' } }, rules: [rule('pods')] });
    expect(rulesOf(store, one)).toEqual([rule('pods')]);
  });
});

// Recorded from kube-apiserver 1.37.2.
describe('refusals', () => {
  const refusal = (info: RequestInfo, reason = '') => forbidden(jane, info, reason).status();
  const status = (message: string, details: object) => ({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: 'Forbidden',
    details,
    code: 403,
  });

  test.each([
    [
      toResource('list', 'services', { namespace: 'x' }),
      'services is forbidden: User "jane" cannot list resource "services" in API group "" in the namespace "x"',
      { kind: 'services' },
    ],
    [
      toResource('list', 'nodes'),
      'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope',
      { kind: 'nodes' },
    ],
    [
      toResource('update', 'deployments', { group: 'apps', subresource: 'scale', namespace: 'x', name: 'd' }),
      'deployments.apps "d" is forbidden: User "jane" cannot update resource "deployments/scale" in API group "apps" in the namespace "x"',
      { name: 'd', group: 'apps', kind: 'deployments' },
    ],
    [toPath('get', '/foo'), 'forbidden: User "jane" cannot get path "/foo"', {}],
  ])('%o', (info, message, details) => {
    expect(refusal(info)).toEqual(status(message, details));
  });

  test('name missing roles', () => {
    const store = emptyStore();
    const authorize = createAuthorizer(store);
    const info = toResource('list', 'pods', { namespace: 'kube-public' });
    bind(store, 'ClusterRoleBinding', 'nope', 'ClusterRole/nope', 'User/jane');
    bind(store, 'ClusterRoleBinding', 'again', 'ClusterRole/nope', 'Group/devs');
    const missing = 'clusterrole.rbac.authorization.k8s.io "nope" not found';
    expect(authorize(jane, info)).toEqual({ allowed: false, reason: `RBAC: ${missing}` });
    bind(store, 'RoleBinding', 'kube-public/nope', 'Role/nope2', 'User/jane');
    const message =
      'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "kube-public": ' +
      `RBAC: ${missing}, role.rbac.authorization.k8s.io "nope2" not found`;
    expect(forbidden(jane, info, authorize(jane, info).reason).message).toBe(message);
  });
});
