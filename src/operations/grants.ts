import { refOf } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import type { Need } from '../cluster/status.ts';
import type { KubeObject } from '../manifests/types.ts';

/** How to find out what the user may do. Both ask the cluster. */
export interface Asking {
  /** Whether RBAC allows it. */
  may(need: Need): Promise<boolean>;
  /** Whether a dry run of applying this object is allowed. */
  mayApply(object: KubeObject): Promise<boolean>;
}

/**
 * Finds the roles and bindings that the user may not apply. kube-apiserver lets a user grant
 * permissions that the user holds. Otherwise the user needs the verb `escalate` on the role, or
 * `bind` on the role that a binding names (k8s.io/kubernetes/pkg/registry/rbac: clusterrole,
 * clusterrolebinding and rolebinding, policybased/storage.go).
 * @returns the missing verbs
 */
export async function missingGrants(objects: readonly KubeObject[], asking: Asking): Promise<readonly Need[]> {
  const roles = objects.filter(({ kind }) => kind === 'ClusterRole');
  const bindings = objects.filter(({ kind }) => kind === 'ClusterRoleBinding' || kind === 'RoleBinding');
  const missing = await Promise.all([
    ...roles.map((role) => missingGrant(escalate(role), () => asking.mayApply(role), asking)),
    ...bindings.map((binding) => missingGrant(bind(binding), () => mayApplyBinding(binding, roles, asking), asking)),
  ]);
  return missing.flat();
}

async function missingGrant(need: Need, holdsPermissions: () => Promise<boolean>, { may }: Asking): Promise<readonly Need[]> {
  return (await may(need)) || (await holdsPermissions()) ? [] : [need];
}

/**
 * Before the first run our own roles do not exist, so a dry run of their bindings fails. A user who
 * may apply a role without `escalate` holds its permissions, and may bind it too.
 */
async function mayApplyBinding(binding: KubeObject, roles: readonly KubeObject[], { may, mayApply }: Asking): Promise<boolean> {
  const role = roles.find(({ metadata }) => binding.kind === 'ClusterRoleBinding' && metadata.name === roleRefOf(binding).name);
  return role ? !(await may(escalate(role))) && mayApply(role) : mayApply(binding);
}

const escalate = (role: KubeObject): Need => ({ verb: 'escalate', ref: refOf(role) });

function bind(binding: KubeObject): Need {
  const { kind, name } = roleRefOf(binding);
  const { namespace } = binding.metadata;
  return { verb: 'bind', ref: { resource: kind === 'Role' ? resources.Role : resources.ClusterRole, namespace, name } };
}

const roleRefOf = ({ roleRef }: KubeObject) => roleRef as { readonly kind: string; readonly name: string };
