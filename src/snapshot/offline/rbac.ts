import type { KubeObject } from '../../manifests/types.ts';
import { type Json, listOf, textOf, textsOf } from '../views.ts';
import type { OfflineObjects } from './objects.ts';

/**
 * The permissions that the RBAC objects of the files grant, by their rules
 * (k8s.io/kubernetes/pkg/registry/rbac/validation).
 */

/** A request that RBAC allows or not. */
export interface Access {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  /** Undefined for a request without a name, such as create. */
  readonly name?: string;
  /** Undefined for a resource without a namespace. */
  readonly namespace?: string;
}

export interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** A RoleBinding or ClusterRoleBinding. */
export interface Binding {
  readonly kind: string;
  /** Undefined for a ClusterRoleBinding, and where `kubectl apply -n` decides. */
  readonly namespace: string | undefined;
  readonly name: string;
  readonly role: { readonly kind: string; readonly name: string };
  readonly subjects: readonly Json[];
  /** Undefined for a role that is not in the files. */
  readonly rules: readonly Json[] | undefined;
}

const authentication = 'extension-apiserver-authentication';
/** The ConfigMap with the CA of kube-apiserver. */
export const authenticationReader = `${authentication}-reader`;
const rule = (apiGroups: readonly string[], resources: readonly string[], verbs: readonly string[], resourceNames?: readonly string[]) => ({
  apiGroups,
  resources,
  verbs,
  ...(resourceNames ? { resourceNames } : {}),
});

/** Roles of Kubernetes (k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy). */
const builtInClusterRoles: Readonly<Record<string, readonly Json[]>> = {
  'cluster-admin': [rule(['*'], ['*'], ['*'])],
  'system:auth-delegator': [
    rule(['authentication.k8s.io'], ['tokenreviews'], ['create']),
    rule(['authorization.k8s.io'], ['subjectaccessreviews'], ['create']),
  ],
  // Of these, only the access to ConfigMaps matters here.
  admin: [rule([''], ['configmaps'], ['get', 'list', 'watch'])],
  edit: [rule([''], ['configmaps'], ['get', 'list', 'watch'])],
  view: [rule([''], ['configmaps'], ['get', 'list', 'watch'])],
  'system:discovery': [],
  'system:basic-user': [],
  'system:public-info-viewer': [],
};

/** All bindings of the files, with the rules of their roles. */
const bindingsOf = (objects: OfflineObjects): Binding[] =>
  [...objects.all('ClusterRoleBinding'), ...objects.all('RoleBinding')].map((object: KubeObject & Json) => {
    const { kind, metadata, roleRef, subjects } = object;
    const namespace = kind === 'ClusterRoleBinding' ? undefined : metadata.namespace;
    const role = { kind: textOf(roleRef?.kind), name: textOf(roleRef?.name) };
    return { kind, namespace, name: metadata.name, role, subjects: listOf(subjects), rules: rulesOf(objects, role, namespace) };
  });

function rulesOf(objects: OfflineObjects, { kind, name }: Binding['role'], namespace: string | undefined): readonly Json[] | undefined {
  if (kind === 'ClusterRole') {
    const found: (KubeObject & Json) | undefined = objects.find('ClusterRole', '', name);
    if (found) return clusterRoleRules(objects, found);
    return Object.hasOwn(builtInClusterRoles, name) ? builtInClusterRoles[name] : undefined;
  }
  const found: (KubeObject & Json) | undefined = objects.find('Role', namespace ?? '', name);
  if (found) return listOf(found.rules);
  if (name !== authenticationReader) return undefined;
  // Kubernetes has this Role in one namespace only.
  const exists = namespace === undefined || namespace === 'kube-system';
  return exists ? [rule([''], ['configmaps'], ['get', 'list', 'watch'], [authentication])] : [];
}

/**
 * The rules of a ClusterRole. A controller replaces those of one with an aggregationRule by the
 * rules of the ClusterRoles that it selects
 * (k8s.io/kubernetes/pkg/controller/clusterroleaggregation).
 * @param visited the names of the roles whose rules are known already
 * @returns undefined if the files contain none of the selected roles
 */
function clusterRoleRules(
  objects: OfflineObjects,
  { metadata, rules, aggregationRule }: KubeObject & Json,
  visited = new Set<string>(),
): readonly Json[] | undefined {
  visited.add(metadata.name);
  if (typeof aggregationRule !== 'object' || aggregationRule === null) return listOf(rules);
  const selectors = listOf(aggregationRule.clusterRoleSelectors);
  const selected = objects.all('ClusterRole').filter((role) => selectors.some((selector) => selects(selector, role)));
  const found = selected.flatMap((role) => (visited.has(role.metadata.name) ? [] : (clusterRoleRules(objects, role, visited) ?? [])));
  return selectors.length > 0 && found.length === 0 ? undefined : found;
}

/** An expression may match any labels, so that no role is said to lack rules. */
function selects({ matchLabels, matchExpressions }: Json, { metadata }: KubeObject): boolean {
  const labels = textsOf(metadata.labels);
  return listOf(matchExpressions).length === 0 && Object.entries(textsOf(matchLabels)).every(([key, value]) => labels[key] === value);
}

/** Bindings by their subjects, so that no account looks at all of them. */
export interface Bindings {
  /** Those that bind a ServiceAccount, also as a group or user. */
  boundTo(account: Account): readonly Binding[];
  /** The first ones that bind a ServiceAccount of the same name or namespace. */
  near(account: Account): readonly Binding[];
  /** Those whose subjects may update some APIService. */
  readonly writers: readonly Binding[];
}

/** In large files, many servers have ServiceAccounts of one name. */
const mostNear = 50;

export function indexBindings(objects: OfflineObjects): Bindings {
  const all = bindingsOf(objects);
  const index = new Map<string, Binding[]>();
  for (const binding of all) {
    for (const key of new Set(binding.subjects.flatMap(keysOf))) {
      const same = index.get(key);
      if (same) same.push(binding);
      else index.set(key, [binding]);
    }
  }
  const found = (keys: readonly string[], most = Infinity) => [...new Set(keys.flatMap((key) => (index.get(key) ?? []).slice(0, most)))];
  return {
    boundTo: (account) =>
      found(['group', `is ${account.namespace}:${account.name}`, `is :${account.name}`, `is ${userOf(account)}`]).filter((binding) =>
        binding.subjects.some((each) => isSubject(each, account, binding)),
      ),
    near: ({ name, namespace }) => found([`name ${name}`, `namespace ${namespace}`], mostNear),
    writers: all.filter(({ rules }) => (rules ?? []).some(({ resources }) => Array.isArray(resources) && resources.some(isApiServices))),
  };
}

const isApiServices = (resource: unknown): boolean => resource === 'apiservices' || resource === '*';

function keysOf({ kind, name, namespace }: Json): string[] {
  if (kind === 'Group') return ['group'];
  if (kind === 'User') return [`is ${textOf(name)}`];
  return [`is ${textOf(namespace)}:${textOf(name)}`, `name ${textOf(name)}`, `namespace ${textOf(namespace)}`];
}

/** Whether the rules of a binding allow a request, for its subjects. */
export const grants = ({ kind, namespace, rules }: Binding, access: Access): boolean => {
  const inScope = kind === 'ClusterRoleBinding' || (access.namespace !== undefined && (namespace ?? access.namespace) === access.namespace);
  return inScope && (rules ?? []).some((each) => allows(each, access));
};

function allows({ apiGroups, resources, verbs, resourceNames }: Json, { group, resource, verb, name }: Access): boolean {
  const has = (list: Json, value: string): boolean => Array.isArray(list) && (list.includes(value) || list.includes('*'));
  const names: unknown[] = Array.isArray(resourceNames) ? resourceNames : [];
  return has(apiGroups, group) && has(resources, resource) && has(verbs, verb) && (names.length === 0 || names.includes(name));
}

/**
 * Whether a subject is a ServiceAccount, or a group or user that stands for it. Without a
 * namespace, a subject of a RoleBinding is in the namespace of the binding, and kube-apiserver
 * rejects one of a ClusterRoleBinding (k8s.io/kubernetes/pkg/registry/rbac/validation/rule.go,
 * appliesToUser; pkg/apis/rbac/validation).
 */
export function isSubject({ kind, name, namespace }: Json, account: Account, binding: Pick<Binding, 'kind' | 'namespace'>): boolean {
  if (kind === 'ServiceAccount') return name === account.name && isIn(account.namespace, namespace, binding);
  if (kind === 'User') return name === userOf(account);
  return (
    kind === 'Group' && ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`, 'system:authenticated'].includes(name)
  );
}

/** `kubectl apply -n` sets the namespace of a RoleBinding without one, so it may be any. */
function isIn(expected: string, given: Json, { kind, namespace }: Pick<Binding, 'kind' | 'namespace'>): boolean {
  if (given !== undefined) return given === expected;
  return kind !== 'ClusterRoleBinding' && (namespace ?? expected) === expected;
}

export const userOf = ({ namespace, name }: Account): string => `system:serviceaccount:${namespace}:${name}`;

/** The name of a binding in texts. */
export const bindingText = ({ kind, namespace, name }: Binding): string =>
  kind === 'ClusterRoleBinding' ? `ClusterRoleBinding ${name}` : `RoleBinding ${namespace ? `${namespace}/` : ''}${name}`;

/** The name of a subject in texts. */
export const subjectText = ({ kind, namespace, name }: Json): string =>
  `${textOf(kind) || 'subject'} ${namespace === undefined ? '' : `${textOf(namespace)}/`}${textOf(name)}`;

/**
 * The ServiceAccounts, and groups of them, that may update an APIService, and so set its caBundle.
 */
export function writersOf({ writers }: Bindings, name: string): string[] {
  const may = (binding: Binding): boolean =>
    ['update', 'patch'].some((verb) => grants(binding, { group: 'apiregistration.k8s.io', resource: 'apiservices', verb, name }));
  return [...new Set(writers.filter(may).flatMap(({ subjects }) => subjects.filter(isProgram).map(subjectText)))];
}

const isProgram = ({ kind, name }: Json): boolean =>
  kind === 'ServiceAccount' || /^system:(serviceaccounts(:|$)|serviceaccount:|authenticated$)/.test(textOf(name));
