import { badRequest } from './failure.ts';
import type { Obj } from './types.ts';

const names = (type: string, ...fields: string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(fields.map((field) => [field, type]));
const attributes = { resourceAttributes: 'v1.ResourceAttributes', nonResourceAttributes: 'v1.NonResourceAttributes' };

/**
 * The fields of Go's types and what they hold (k8s.io/api/{authentication,authorization,rbac}/v1/types.go); the selectors of an access review are nothing to
 * RBAC.
 */
const structs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'v1.AggregationRule': { clusterRoleSelectors: '[]v1.LabelSelector' },
  'v1.BoundObjectReference': { ...names('string', 'kind', 'apiVersion', 'name'), uid: 'types.UID' },
  'v1.LabelSelector': { matchLabels: 'map[string]string', matchExpressions: '[]v1.LabelSelectorRequirement' },
  'v1.LabelSelectorRequirement': { ...names('string', 'key', 'operator'), values: '[]string' },
  'v1.NonResourceAttributes': names('string', 'path', 'verb'),
  'v1.PolicyRule': names('[]string', 'verbs', 'apiGroups', 'resources', 'resourceNames', 'nonResourceURLs'),
  'v1.ResourceAttributes': names('string', 'namespace', 'verb', 'group', 'version', 'resource', 'subresource', 'name'),
  'v1.RoleRef': names('string', 'apiGroup', 'kind', 'name'),
  'v1.SelfSubjectAccessReviewSpec': attributes,
  'v1.SelfSubjectReviewSpec': {},
  'v1.SelfSubjectRulesReviewSpec': { namespace: 'string' },
  'v1.Subject': names('string', 'kind', 'apiGroup', 'name', 'namespace'),
  'v1.SubjectAccessReviewSpec': { ...attributes, ...names('string', 'user', 'uid'), groups: '[]string', extra: 'map[string]v1.ExtraValue' },
  'v1.TokenRequestSpec': { audiences: '[]string', expirationSeconds: 'int64', boundObjectRef: 'v1.BoundObjectReference' },
  'v1.TokenReviewSpec': { token: 'string', audiences: '[]string' },
};

/**
 * A field of an object, read as Go does: of its fields, and theirs, those that the types have.
 * @param kind - of the object
 * @param type - Go's, such as `[]v1.PolicyRule`
 * @throws ApiFailure 400 when something is of another type, as kube-apiserver says it
 */
export function typed(kind: string, field: string, value: unknown, type: string): Obj {
  const refuse = (found: unknown, at: string, wanted: string): Error =>
    badRequest(
      `${kind} in version "v1" cannot be handled as a ${kind}: json: cannot unmarshal ${jsonType(found)} into Go struct field ${at} of type ${wanted}`,
    );
  const read = (value: unknown, type: string, owner: string, path: string): unknown => {
    const fields = structs[type];
    const element = /^\[\](v1\..*)$/.exec(type)?.[1];
    const fits = element ? Array.isArray(value) : fields ? jsonType(value) === 'object' : holds(value, type);
    if (!fits) throw refuse(value, `${owner}.${path}`, type);
    if (element) return (value as unknown[]).map((each) => read(each, element, owner, path));
    if (!fields) return value;
    const known = Object.entries(value as object).filter(([name, part]) => Object.hasOwn(fields, name) && part !== null);
    return Object.fromEntries(
      known.map(([name, part]) => [name, read(part, fields[name] ?? '', type.replace('v1.', ''), `${path}.${name}`)]),
    );
  };
  return read(value, type, kind, field);
}

/** The spec of a review or a TokenRequest; empty without one. @param kind - of the object @throws as `typed` */
export const specOf = (kind: string, spec: unknown = {}): Obj =>
  typed(kind, 'spec', spec, `v1.${kind === 'LocalSubjectAccessReview' ? 'SubjectAccessReview' : kind}Spec`);

/** @throws ApiFailure 400 when metadata names another namespace than the path (k8s.io/apiserver/pkg/registry/rest/meta.go, EnsureObjectNamespaceMatchesRequestNamespace) */
export function checkNamespace({ namespace: given }: Obj, namespace: string): void {
  if (given && given !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

const jsonType = (value: unknown): string => {
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
};

const areStrings = (value: unknown): boolean => Array.isArray(value) && value.every((each) => typeof each === 'string');

function holds(value: unknown, type: string): boolean {
  if (type === 'int64') return Number.isInteger(value);
  if (type === '[]string') return areStrings(value);
  if (type === 'map[string]string') return jsonType(value) === 'object' && areStrings(Object.values(value as object));
  if (type === 'map[string]v1.ExtraValue') return jsonType(value) === 'object' && Object.values(value as object).every(areStrings);
  return typeof value === 'string';
}
