import { describe, expect, test } from 'vitest';
import { kindOf, kinds } from '../../../../src/sandbox/simulated/kinds.ts';
import { ago, tableOf } from '../../../../src/sandbox/simulated/table.ts';
import type { Kind, Obj } from '../../../../src/sandbox/simulated/types.ts';

const now = new Date('2026-01-10T00:00:00Z');
const at = (secondsAgo: number): string => new Date(now.getTime() - secondsAgo * 1000).toISOString();

// Examples of k8s.io/apimachinery/pkg/util/duration/duration_test.go.
test.each([
  [-1, '0s'],
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [600, '10m'],
  [3 * 3600 - 1, '179m'],
  [3 * 3600, '3h'],
  [8 * 3600, '8h'],
  [48 * 3600 - 1, '47h'],
  [48 * 3600, '2d'],
  [8 * 86_400, '8d'],
])('%i seconds: %s', (secondsAgo, words) => {
  expect(ago(at(secondsAgo), now)).toBe(words);
});

const cells = (group: string, kind: string, object: Obj): Obj =>
  tableOf(kindOf(group, kind) as Kind, [{ metadata: { name: 'x', creationTimestamp: at(5) }, ...object }], () => null, now).rows[0].cells;

describe('the table row of', () => {
  const statuses = (...containerStatuses: Obj[]) => ({
    spec: { containers: [{}, {}] },
    status: { phase: 'Running', podIP: '10.0.0.1', containerStatuses },
  });
  const running = { ready: true, restartCount: 0, state: { running: {} } };
  const crashed = {
    ready: false,
    restartCount: 3,
    state: { waiting: { reason: 'CrashLoopBackOff' } },
  };
  test.each([
    ['a pod', '', 'Pod', statuses(running, running), ['x', '2/2', 'Running', 0, '5s']],
    ['a pod that crashes', '', 'Pod', statuses(running, crashed), ['x', '1/2', 'CrashLoopBackOff', 3, '5s']],
    [
      'a pod that ends',
      '',
      'Pod',
      { ...statuses(running, running), metadata: { name: 'x', creationTimestamp: at(5), deletionTimestamp: at(0) } },
      ['x', '2/2', 'Terminating', 0, '5s'],
    ],
    [
      'a deployment',
      'apps',
      'Deployment',
      {
        spec: { replicas: 2, selector: { matchLabels: { a: 'b' } }, template: { spec: { containers: [{ name: 'c', image: 'i' }] } } },
        status: { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 },
      },
      ['x', '1/2', 2, 1, '5s'],
    ],
    [
      'a service',
      '',
      'Service',
      { spec: { type: 'ClusterIP', clusterIP: '10.96.0.9', ports: [{ port: 443, protocol: 'TCP' }], selector: { a: 'b' } } },
      ['x', 'ClusterIP', '10.96.0.9', '<none>', '443/TCP', '5s'],
    ],
    [
      'an APIService',
      'apiregistration.k8s.io',
      'APIService',
      {
        spec: { service: { namespace: 'n', name: 's' } },
        status: { conditions: [{ type: 'Available', status: 'False', reason: 'ServiceNotFound' }] },
      },
      ['x', 'n/s', 'False (ServiceNotFound)', '5s'],
    ],
    [
      'a Local APIService',
      'apiregistration.k8s.io',
      'APIService',
      { spec: {}, status: { conditions: [{ type: 'Available', status: 'True' }] } },
      ['x', 'Local', 'True', '5s'],
    ],
    ['anything else', 'rbac.authorization.k8s.io', 'RoleBinding', {}, ['x', '5s']],
  ])('%s', (_, group, kind, object, expected) => {
    expect(cells(group, kind, object)).toEqual(expected);
  });
});

test('an empty object of every kind makes a row', () => {
  const bare = { metadata: { name: 'x' }, spec: { type: 'ClusterIP' }, roleRef: {} };
  for (const kind of kinds) {
    const { columnDefinitions, rows } = tableOf(kind, [bare], () => null, now);
    expect(rows[0].cells.map((cell: unknown) => typeof cell)).not.toContain('undefined');
    expect(rows[0].cells).toHaveLength(columnDefinitions.length);
  }
});
