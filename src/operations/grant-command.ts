import { type Need, type RbacRule, rbacRules } from '../cluster/status.ts';

/**
 * The command by which an administrator grants permissions to a user. It keeps what the user has
 * been granted before, and creates a namespace that does not exist yet
 * (k8s.io/kubectl/pkg/cmd/auth/reconcile.go).
 * @param user its name as kube-apiserver sees it
 */
export function grantCommand(user: string, needs: readonly Need[]): string {
  const rules = rbacRules(needs);
  const namespaces = [...new Set(rules.map(({ namespace }) => namespace))];
  const objects = namespaces.flatMap((namespace) =>
    roleAndBinding(
      user,
      namespace,
      rules.filter((rule) => rule.namespace === namespace),
    ),
  );
  return ["kubectl auth reconcile -f - <<'EOF'", objects.join('\n---\n'), 'EOF'].join('\n');
}

/** A Role with the rules of a namespace, or a ClusterRole. JSON is YAML: it quotes every name. */
function roleAndBinding(user: string, namespace: string | undefined, rules: readonly RbacRule[]): readonly string[] {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  // These characters cannot be in the path of an object
  // (k8s.io/apimachinery/pkg/api/validation/path).
  const name = JSON.stringify(`apisvc:${user.replace(/[/%]/g, '-')}`);
  const where = namespace === undefined ? '' : `, namespace: ${JSON.stringify(namespace)}`;
  const head = (kindOf: string): string => `apiVersion: ${group}/v1\nkind: ${kindOf}\nmetadata: {name: ${name}${where}}`;
  return [
    [head(kind), 'rules:', ...rules.map(({ yaml }) => `- ${yaml}`)].join('\n'),
    [
      head(`${kind}Binding`),
      `roleRef: {apiGroup: ${group}, kind: ${kind}, name: ${name}}`,
      `subjects: [{apiGroup: ${group}, kind: User, name: ${JSON.stringify(user)}}]`,
    ].join('\n'),
  ];
}

const group = 'rbac.authorization.k8s.io';
