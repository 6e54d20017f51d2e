import type { KubeObject } from '../../../../src/manifests/types.ts';
import { namespace } from '../world.ts';

/** Objects that say who may do what, in the namespace of the steps or everywhere. */

export const rbac = 'rbac.authorization.k8s.io';
export const role = (kind: 'Role' | 'ClusterRole', name: string, ...rules: readonly object[]): KubeObject => ({
  apiVersion: `${rbac}/v1`,
  kind,
  metadata: { name, ...(kind === 'Role' ? { namespace } : {}) },
  rules,
});
export const binding = (
  kind: 'RoleBinding' | 'ClusterRoleBinding',
  name: string,
  roleKind: 'Role' | 'ClusterRole',
  subject: object,
  roleName = name,
): KubeObject => ({
  apiVersion: `${rbac}/v1`,
  kind,
  metadata: { name, ...(kind === 'RoleBinding' ? { namespace } : {}) },
  roleRef: { apiGroup: rbac, kind: roleKind, name: roleName },
  subjects: [subject],
});
export const userSubject = (name: string) => ({ apiGroup: rbac, kind: 'User', name });
