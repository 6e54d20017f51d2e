import type { KubernetesImitated } from '../shared/engine.ts';
import { notFound } from '../shared/failure.ts';
import type { UserInfo } from '../shared/identity.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import { kindOf } from './kinds.ts';
import type { Kind, Obj, Store } from './types.ts';

export interface Decision {
  readonly allowed: boolean;
  /** Why, or what was amiss on the way; often empty. */
  readonly reason: string;
}

export type Authorize = (user: UserInfo, info: RequestInfo) => Decision;

/** One rule of a role (rbac.authorization.k8s.io/v1, PolicyRule). */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/** What one binding gives to a user. */
interface Grant {
  /** `ClusterRoleBinding "x" of ClusterRole "y" to User "z"`. */
  readonly source: string;
  readonly rules: readonly PolicyRule[];
}

const rbac = (kind: string): Kind => kindOf('rbac.authorization.k8s.io', kind) as Kind;

/**
 * Decides as kube-apiserver does with the group system:masters let in first and RBAC after it
 * (k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac).
 * @param kubernetes - from 1.36 on a refusal says which authorizer had something to say
 * (k8s.io/apiserver/pkg/authorization/union)
 */
export const createAuthorizer =
  (store: Store, kubernetes: KubernetesImitated): Authorize =>
  (user, info) => {
    if (user.groups.includes('system:masters')) return { allowed: true, reason: '' };
    const { grants, faults } = grantsOf(store, user, info.namespace);
    const grant = grants.find(({ rules }) => rules.some((rule) => allows(rule, info)));
    if (grant) return { allowed: true, reason: `RBAC: allowed by ${grant.source}` };
    const reason = faults === '' ? '' : `${kubernetes === '1.35' ? '' : 'rbac: '}RBAC: ${faults}`;
    return { allowed: false, reason };
  };

/**
 * What the bindings of the cluster and those of a namespace give to a user, in that order
 * (k8s.io/kubernetes/pkg/registry/rbac/validation/rule.go).
 * @param namespace - empty for none
 * @returns also the roles that bindings name and that are not there, as kube-apiserver says so;
 * empty when there are all
 */
function grantsOf(store: Store, user: UserInfo, namespace: string): { readonly grants: readonly Grant[]; readonly faults: string } {
  const bindings = [...store.list(rbac('ClusterRoleBinding')), ...(namespace === '' ? [] : store.list(rbac('RoleBinding'), namespace))];
  const grants: Grant[] = [];
  const faults: string[] = [];
  for (const binding of bindings) {
    const home: string | undefined = binding.metadata.namespace;
    const subject = (binding.subjects ?? []).find((each: Obj) => isUser(each, user, home));
    if (!subject) continue;
    const { kind, name } = binding.roleRef;
    const role = store.get(rbac(kind), kind === 'Role' ? home : undefined, name);
    if (role) grants.push({ source: describe(binding, subject), rules: rulesOf(store, role) });
    else faults.push(notFound({ ...rbac(kind), plural: kind.toLowerCase() }, name).message);
  }
  return { grants, faults: aggregate(faults) };
}

/** Several errors as one text (k8s.io/apimachinery/pkg/util/errors, aggregate.Error). */
export function aggregate(messages: readonly string[]): string {
  const distinct = [...new Set(messages)];
  return distinct.length > 1 ? `[${distinct.join(', ')}]` : distinct.join();
}

function isUser(subject: Obj, user: UserInfo, namespace: string | undefined): boolean {
  if (subject.kind === 'User') return subject.name === user.name;
  if (subject.kind === 'Group') return user.groups.includes(subject.name);
  return user.name === `system:serviceaccount:${subject.namespace ?? namespace}:${subject.name}`;
}

/**
 * With a namespace after its name, unlike anywhere else (clusterRoleBindingDescriber,
 * roleBindingDescriber).
 */
function describe({ kind, metadata, roleRef }: Obj, subject: Obj): string {
  const within = (name: string, namespace?: string) => (namespace === undefined ? name : `${name}/${namespace}`);
  const to = subject.kind === 'ServiceAccount' ? within(subject.name, subject.namespace ?? metadata.namespace) : subject.name;
  return `${kind} "${within(metadata.name, metadata.namespace)}" of ${roleRef.kind} "${roleRef.name}" to ${subject.kind} "${to}"`;
}

/**
 * The rules of a Role or ClusterRole. No controller writes down those of an aggregated ClusterRole:
 * they are gathered here each time, as k8s.io/kubernetes/pkg/controller/clusterroleaggregation
 * does.
 */
export function rulesOf(store: Store, role: Obj, gathered: ReadonlySet<string> = new Set()): readonly PolicyRule[] {
  const selectors: readonly Obj[] | undefined = role.aggregationRule?.clusterRoleSelectors;
  if (!selectors) return role.rules ?? [];
  const seen = new Set([...gathered, role.metadata.name]);
  const chosen = store
    .list(rbac('ClusterRole'))
    .filter(({ metadata }) => !seen.has(metadata.name) && selectors.some((selector) => selects(selector, metadata.labels ?? {})));
  const rules = chosen.flatMap((each) => rulesOf(store, each, seen));
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

/**
 * Whether labels are those that a LabelSelector wants (k8s.io/apimachinery/pkg/labels/selector.go,
 * Requirement.Matches).
 */
function selects({ matchLabels = {}, matchExpressions = [] }: Obj, labels: Readonly<Record<string, string>>): boolean {
  const meets = ({ key, operator, values = [] }: Obj): boolean => {
    const there = Object.hasOwn(labels, key);
    if (operator === 'Exists') return there;
    if (operator === 'DoesNotExist') return !there;
    return operator === 'In' ? there && values.includes(labels[key]) : !there || !values.includes(labels[key]);
  };
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value) && matchExpressions.every(meets);
}

/**
 * Whether one rule lets a request through
 * (k8s.io/kubernetes/pkg/apis/rbac/v1/evaluation_helpers.go).
 */
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
