import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthorizer, rulesOf } from '../../../../src/sandbox/simulated/authorization.ts';
import { bootstrap } from '../../../../src/sandbox/simulated/bootstrap.ts';
import { kindOf, kinds, reviewKinds } from '../../../../src/sandbox/simulated/kinds.ts';
import type { Kind, Obj } from '../../../../src/sandbox/simulated/types.ts';
import { jane, makeSimulation, put, toPath, toResource } from './identities.ts';

let world: Awaited<ReturnType<typeof makeSimulation>>;
beforeAll(async () => {
  world = await makeSimulation();
  bootstrap(world.simulation);
});
afterAll(() => world.end());

const named = (group: string, kind: string) => kindOf(group, kind) as Kind;
const get = (group: string, kind: string, namespace: string | undefined, name: string): Obj =>
  world.simulation.store.get(named(group, kind), namespace, name);
const rbac = 'rbac.authorization.k8s.io';

describe('the objects of a new cluster', () => {
  test('the configuration by which extension API servers verify the front proxy', () => {
    const { files } = world.simulation;
    expect(get('', 'ConfigMap', 'kube-system', 'extension-apiserver-authentication').data).toEqual({
      'client-ca-file': readFileSync(files.ca.cert, 'utf8'),
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-client-ca-file': readFileSync(files.frontProxyCa.cert, 'utf8'),
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-username-headers': '["X-Remote-User"]',
    });
  });

  test('a Local APIService for each group and version that is served', () => {
    const apiServices = world.simulation.store.list(named('apiregistration.k8s.io', 'APIService'));
    const served = new Set([...kinds, ...reviewKinds].map(({ group, version }) => `${version}.${group}`));
    served.delete('v1.apiregistration.k8s.io');
    expect(new Set(apiServices.map(({ metadata }) => metadata.name))).toEqual(served);
    expect(apiServices.find(({ metadata }) => metadata.name === 'v1.')).toMatchObject({
      metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
      spec: { version: 'v1', groupPriorityMinimum: 18_000, versionPriority: 15 },
      status: { conditions: [{ type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' }] },
    });
  });

  test('roles with their labels and aggregated rules', () => {
    const edit = get(rbac, 'ClusterRole', undefined, 'edit');
    expect(edit.metadata).toMatchObject({
      labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', 'rbac.authorization.k8s.io/aggregate-to-admin': 'true' },
    });
    expect(rulesOf(world.simulation.store, edit).flatMap(({ resources }) => resources)).toContain('networkpolicies');
  });
});

describe('initial permissions', () => {
  const anonymous = { name: 'system:anonymous', groups: ['system:unauthenticated'], extra: {} };
  const delegate = { ...jane, name: 'system:serviceaccount:default:extension', groups: [] };
  test.each([
    [anonymous, toPath('get', '/version'), true],
    [anonymous, toPath('get', '/apis'), false],
    [jane, toPath('get', '/apis/apps/v1'), true],
    [jane, toResource('create', 'selfsubjectaccessreviews', { group: 'authorization.k8s.io' }), true],
    [jane, toResource('create', 'subjectaccessreviews', { group: 'authorization.k8s.io' }), false],
    [jane, toResource('list', 'pods', { namespace: 'default' }), false],
  ])('%o %o', (user, info, allowed) => {
    expect(createAuthorizer(world.simulation.store)(user, info).allowed).toBe(allowed);
  });

  test('the roles for extension API servers are sufficient for one', () => {
    const { store } = world.simulation;
    const reference = (kind: string, name: string) => ({ apiGroup: rbac, kind, name });
    const subjects = [{ kind: 'ServiceAccount', name: 'extension', namespace: 'default' }];
    put(store, 'ClusterRoleBinding', 'delegator', { roleRef: reference('ClusterRole', 'system:auth-delegator'), subjects });
    put(store, 'RoleBinding', 'kube-system/reader', { roleRef: reference('Role', 'extension-apiserver-authentication-reader'), subjects });
    const authorize = createAuthorizer(store);
    const configMap = (name: string) => toResource('get', 'configmaps', { namespace: 'kube-system', name });
    expect(authorize(delegate, toResource('create', 'tokenreviews', { group: 'authentication.k8s.io' })).allowed).toBe(true);
    expect(authorize(delegate, configMap('extension-apiserver-authentication')).allowed).toBe(true);
    expect(authorize(delegate, configMap('other')).allowed).toBe(false);
  });

  test('a ClusterRole with the label becomes part of view', () => {
    const { store } = world.simulation;
    put(store, 'RoleBinding', 'default/view', {
      roleRef: { kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'User', name: 'jane' }],
    });
    const flunders = toResource('list', 'flunders', { group: 'wardle.example.com', namespace: 'default' });
    const authorize = createAuthorizer(store);
    expect(authorize(jane, flunders).allowed).toBe(false);
    const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
    put(store, 'ClusterRole', 'flunders', {
      metadata: { labels },
      rules: [{ verbs: ['list'], apiGroups: ['wardle.example.com'], resources: ['*'] }],
    });
    expect(authorize(jane, flunders).allowed).toBe(true);
  });
});
