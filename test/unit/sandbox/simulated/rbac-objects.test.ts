import { describe, expect, test } from 'vitest';
import { rbacFaults, withBindingDefaults } from '../../../../src/sandbox/simulated/rbac-objects.ts';

const apiGroup = 'rbac.authorization.k8s.io';

test('the groups of roles and subjects are filled in', () => {
  const subjects = [
    { kind: 'User', name: 'jane' },
    { kind: 'ServiceAccount', name: 'robot' },
  ];
  expect(withBindingDefaults({ roleRef: { kind: 'Role', name: 'r' }, subjects })).toEqual({
    roleRef: { apiGroup, kind: 'Role', name: 'r' },
    subjects: [
      { apiGroup, kind: 'User', name: 'jane' },
      { kind: 'ServiceAccount', name: 'robot' },
    ],
  });
});

// In the words of kube-apiserver 1.37.2.
describe('what is refused', () => {
  const list = (kind: string, object: object) =>
    rbacFaults(kind, kind.endsWith('Binding') ? withBindingDefaults(object) : object).map(({ field, message }) => `${field}: ${message}`);

  test.each([
    [{}, ['roleRef.kind: Unsupported value: "": supported values: "ClusterRole"', 'roleRef.name: Required value']],
    [
      { roleRef: { kind: 'Foo', name: 'x' }, subjects: [{ kind: 'User', name: 'jane' }, { kind: 'Foo', name: 'y' }, { kind: 'User' }] },
      [
        'roleRef.kind: Unsupported value: "Foo": supported values: "ClusterRole"',
        'subjects[1].kind: Unsupported value: "Foo": supported values: "ServiceAccount", "User", "Group"',
        'subjects[2].name: Required value',
      ],
    ],
    [
      { roleRef: { kind: 'ClusterRole', name: 'x' }, subjects: [{ kind: 'ServiceAccount', name: 'robot' }] },
      ['subjects[0].namespace: Required value'],
    ],
    [
      { roleRef: { apiGroup: 'x', kind: 'ClusterRole', name: 'x' }, subjects: [{ kind: 'User', apiGroup: 'x', name: 'jane' }] },
      [
        'roleRef.apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"',
        'subjects[0].apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"',
      ],
    ],
  ])('of a ClusterRoleBinding: %o', (object, words) => {
    expect(list('ClusterRoleBinding', object)).toEqual(words);
  });

  test('of a ClusterRole', () => {
    const rules = [
      { resources: ['pods'], apiGroups: [''] },
      { verbs: ['get'] },
      { verbs: ['get'], nonResourceURLs: ['/x'], resources: ['y'], apiGroups: [''] },
      { verbs: ['get'], resources: ['pods'] },
    ];
    expect(list('ClusterRole', { rules })).toEqual([
      'rules[1].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[1].resources: Required value: resource rules must supply at least one resource',
      'rules[2].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
      'rules[3].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[0].verbs: Required value',
    ]);
  });

  test('of a Role, that it is about paths', () => {
    expect(list('Role', { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] })).toEqual([
      'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
    ]);
  });

  test('nothing of what is right', () => {
    const subjects = [
      { kind: 'ServiceAccount', name: 'robot' },
      { kind: 'Group', name: 'devs' },
    ];
    expect(list('RoleBinding', { roleRef: { kind: 'Role', name: 'r' }, subjects })).toEqual([]);
    expect(list('ClusterRole', { rules: null, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } })).toEqual([]);
  });
});
