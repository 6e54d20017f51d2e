import { notFound } from '../shared/failure.ts';
import type { UserInfo } from '../shared/identity.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import { rbacKind } from './kinds.ts';
import type { Obj, Store } from './types.ts';

export interface Decision {
  readonly allowed: boolean;
  /** The missing roles, else empty. */
  readonly reason: string;
}

export type Authorize = (user: UserInfo, info: RequestInfo) => Decision;

/** rbac.authorization.k8s.io/v1, PolicyRule. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/**
 * Authorizes the group system:masters, and everybody else by RBAC
 * (k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac/validation/rule.go).
 */
export const createAuthorizer =
  (store: Store): Authorize =>
  (user, info) => {
    if (user.groups.includes('system:masters')) return { allowed: true, reason: '' };
    const { namespace } = info;
    const bindings = [
      ...store.list(rbacKind('ClusterRoleBinding')),
      ...(namespace === '' ? [] : store.list(rbacKind('RoleBinding'), namespace)),
    ];
    const missing: string[] = [];
    for (const binding of bindings) {
      const home: string | undefined = binding.metadata.namespace;
      if (!binding.subjects?.some((each: Obj) => isUser(each, user, home))) continue;
      const { kind, name } = binding.roleRef;
      const role = store.get(rbacKind(kind), kind === 'Role' ? home : undefined, name);
      if (!role) missing.push(notFound({ group: rbacKind(kind).group, kind, plural: kind.toLowerCase() }, name).message);
      else if (rulesOf(store, role).some((rule) => allows(rule, info))) return { allowed: true, reason: '' };
    }
    return { allowed: false, reason: missing.length === 0 ? '' : `RBAC: ${[...new Set(missing)].join(', ')}` };
  };

function isUser(subject: Obj, user: UserInfo, namespace: string | undefined): boolean {
  if (subject.kind === 'User') return subject.name === user.name;
  if (subject.kind === 'Group') return user.groups.includes(subject.name);
  return user.name === `system:serviceaccount:${subject.namespace ?? namespace}:${subject.name}`;
}

/**
 * The rules of a role. Those of an aggregated ClusterRole are collected on each call; no controller
 * writes them down (k8s.io/kubernetes/pkg/controller/clusterroleaggregation).
 */
export function rulesOf(store: Store, role: Obj, visited: ReadonlySet<string> = new Set()): readonly PolicyRule[] {
  const selectors: readonly Obj[] | undefined = role.aggregationRule?.clusterRoleSelectors;
  if (!selectors) return role.rules ?? [];
  const seen = new Set([...visited, role.metadata.name]);
  const selects = ({ matchLabels = {} }: Obj, labels: Obj): boolean =>
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
  return store
    .list(rbacKind('ClusterRole'))
    .filter(({ metadata }) => !seen.has(metadata.name) && selectors.some((selector) => selects(selector, metadata.labels ?? {})))
    .flatMap((each) => rulesOf(store, each, seen));
}

/** k8s.io/kubernetes/pkg/apis/rbac/v1/evaluation_helpers.go. */
function allows(rule: PolicyRule, info: RequestInfo): boolean {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const names = (values: readonly string[], value: string) => values.includes('*') || values.includes(value);
  if (!names(verbs, info.verb)) return false;
  if (!info.isResource)
    return nonResourceURLs.some((url) => url === info.path || (url.endsWith('*') && info.path.startsWith(url.replace(/\*+$/, ''))));
  const resource = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`;
  return (
    names(apiGroups, info.group) &&
    (names(resources, resource) || (info.subresource !== '' && resources.includes(`*/${info.subresource}`))) &&
    (resourceNames.length === 0 || resourceNames.includes(info.name))
  );
}
