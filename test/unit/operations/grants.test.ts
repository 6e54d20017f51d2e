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

interface User {
  /** `<verb> <name>`. */
  readonly verbs?: readonly string[];
  /** Names of the objects that a dry run accepts. */
  readonly mayApply?: readonly string[];
}

/** Returns the verbs that a user lacks, as `<verb> <name>`. */
async function missingVerbs({ verbs = [], mayApply = [] }: User): Promise<string[]> {
  const describeNeed = ({ verb, ref }: Need): string => `${verb} ${ref.name}`;
  const missing = await missingGrants(objects, {
    may: async (need) => verbs.includes(describeNeed(need)),
    mayApply: async ({ metadata }) => mayApply.includes(metadata.name),
  });
  return missing.map(describeNeed);
}

const all = ['escalate own', 'bind own', 'bind system:auth-delegator', 'bind authentication-reader'];

describe('a user who grants permissions', () => {
  test('without the permissions and the verbs lacks all verbs', async () => {
    expect(await missingVerbs({})).toEqual(all);
  });

  test('lacks nothing with the verbs', async () => {
    expect(await missingVerbs({ verbs: all })).toEqual([]);
  });

  test('lacks nothing with the permissions; for a role that does not exist yet, the dry run of the role counts', async () => {
    expect(await missingVerbs({ mayApply: ['own', 'delegator', 'reader'] })).toEqual([]);
  });

  test('may not bind a role that only escalate allows to apply', async () => {
    expect(await missingVerbs({ verbs: ['escalate own'], mayApply: ['own', 'delegator', 'reader'] })).toEqual(['bind own']);
  });
});

test('the RBAC rules name the bound role, in the namespace of the binding', async () => {
  const missing = await missingGrants(objects, { may: async () => false, mayApply: async () => false });
  expect(missing.map(({ verb, ref }) => rbacRule(ref, verb))).toEqual([
    'ClusterRole: {apiGroups: ["rbac.authorization.k8s.io"], resources: [clusterroles], resourceNames: ["own"], verbs: [escalate]}',
    'ClusterRole: {apiGroups: ["rbac.authorization.k8s.io"], resources: [clusterroles], resourceNames: ["own"], verbs: [bind]}',
    'ClusterRole: {apiGroups: ["rbac.authorization.k8s.io"], resources: [clusterroles], resourceNames: ["system:auth-delegator"], verbs: [bind]}',
    'Role in namespace kube-system: {apiGroups: ["rbac.authorization.k8s.io"], resources: [roles], resourceNames: ["authentication-reader"], verbs: [bind]}',
  ]);
});
