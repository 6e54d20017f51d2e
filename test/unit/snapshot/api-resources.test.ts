import { describe, expect, test } from 'vitest';
import { rbacRule } from '../../../src/cluster/status.ts';
import { isMetricsGroup, needOf } from '../../../src/snapshot/api-resources.ts';

describe('the permission for a path', () => {
  test.each([
    ['/apis/g.io/v1/things', 'ClusterRole: {apiGroups: ["g.io"], resources: [things], verbs: [list]}'],
    ['/apis/g.io/v1/things?limit=1', 'ClusterRole: {apiGroups: ["g.io"], resources: [things], verbs: [list]}'],
    ['/apis/g.io/v1/things/a', 'ClusterRole: {apiGroups: ["g.io"], resources: [things], resourceNames: ["a"], verbs: [get]}'],
    ['/apis/g.io/v1/namespaces/n/things', 'Role in namespace n: {apiGroups: ["g.io"], resources: [things], verbs: [list]}'],
    [
      '/apis/g.io/v1/namespaces/n/things/a/status',
      'Role in namespace n: {apiGroups: ["g.io"], resources: [things/status], resourceNames: ["a"], verbs: [get]}',
    ],
    ['/apis/g.io/v1/namespaces', 'ClusterRole: {apiGroups: ["g.io"], resources: [namespaces], verbs: [list]}'],
    ['/apis/g.io/v1/namespaces/n', 'ClusterRole: {apiGroups: ["g.io"], resources: [namespaces], resourceNames: ["n"], verbs: [get]}'],
  ])('%s is %s', (path, rule) => {
    const need = needOf(path);
    expect(need && rbacRule(need.ref, need.verb)).toBe(rule);
  });

  test.each(['/apis', '/apis/g.io', '/apis/g.io/v1', '/apis/g.io/v1/', '/openapi/v3/apis/g.io/v1', '/api/v1/pods'])(
    '%s is not one for a resource of an API group',
    (path) => {
      expect(needOf(path)).toBeUndefined();
    },
  );
});

test.each([
  ['metrics.k8s.io', true],
  ['custom.metrics.k8s.io', true],
  ['external.metrics.k8s.io', true],
  ['metrics.example.com', false],
  ['othermetrics.k8s.io', false],
])('%s is a group of metrics: %s', (group, expected) => {
  expect(isMetricsGroup(group)).toBe(expected);
});
