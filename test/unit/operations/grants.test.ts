import { describe, expect, test } from 'vitest';
import { type Need, rbacRule } from '../../../src/cluster/status.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { missingGrants } from '../../../src/operations/grants.ts';

const rbac = (kind: string, name: string, rest: object, namespace?: string): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  ...rest,
});

const role = rbac('ClusterRole', 'own', { rules: [] });
const ownBinding = rbac('ClusterRoleBinding', 'own', { roleRef: { kind: 'ClusterRole', name: 'own' } });
const delegator = rbac('ClusterRoleBinding', 'delegator', { roleRef: { kind: 'ClusterRole', name: 'system:auth-delegator' } });
const reader = rbac('RoleBinding', 'reader', { roleRef: { kind: 'Role', name: 'authentication-reader' } }, 'kube-system');
const service: KubeObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'api', namespace: 'x' } };
const objects = [role, ownBinding, delegator, reader, service];

interface Person {
  /** `<verb> <name>`. */
  readonly verbs?: readonly string[];
  /** Names of the objects that a dry run accepts. */
  readonly mayApply?: readonly string[];
}

/** What a person lacks, as `<verb> <name>`. */
async function lacks({ verbs = [], mayApply = [] }: Person): Promise<string[]> {
  const words = ({ verb, ref }: Need): string => `${verb} ${ref.name}`;
  const missing = await missingGrants(objects, {
    may: async (need) => verbs.includes(words(need)),
    mayApply: async ({ metadata }) => mayApply.includes(metadata.name),
  });
  return missing.map(words);
}

const all = ['escalate own', 'bind own', 'bind system:auth-delegator', 'bind authentication-reader'];

describe('whoever gives rights away', () => {
  test('and has neither the rights nor the verbs is told the verbs', async () => {
    expect(await lacks({})).toEqual(all);
  });

  test('may have the verbs', async () => {
    expect(await lacks({ verbs: all })).toEqual([]);
  });

  test('may hold the rights; a binding of a role that is not there yet can not be rehearsed, so its role counts', async () => {
    expect(await lacks({ mayApply: ['own', 'delegator', 'reader'] })).toEqual([]);
  });

  test('may not bind a role only because it could be written with escalate', async () => {
    expect(await lacks({ verbs: ['escalate own'], mayApply: ['own', 'delegator', 'reader'] })).toEqual(['bind own']);
  });
});

test('the rules for the verbs name the role that is bound, where it is bound', async () => {
  const missing = await missingGrants(objects, { may: async () => false, mayApply: async () => false });
  expect(missing.map(({ verb, ref }) => rbacRule(verb, ref))).toEqual([
    'ClusterRole: {apiGroups: ["rbac.authorization.k8s.io"], resources: [clusterroles], resourceNames: ["own"], verbs: [escalate]}',
    'ClusterRole: {apiGroups: ["rbac.authorization.k8s.io"], resources: [clusterroles], resourceNames: ["own"], verbs: [bind]}',
    'ClusterRole: {apiGroups: ["rbac.authorization.k8s.io"], resources: [clusterroles], resourceNames: ["system:auth-delegator"], verbs: [bind]}',
    'Role in namespace kube-system: {apiGroups: ["rbac.authorization.k8s.io"], resources: [roles], resourceNames: ["authentication-reader"], verbs: [bind]}',
  ]);
});
