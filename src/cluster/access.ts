import type { Cluster } from './cluster.ts';
import { apiGroup, type ObjectRef, type Resource, resourcePath, resources } from './resources.ts';
import { readJson, refusal } from './status.ts';

/**
 * Whether the user may do this, according to the authorizers of the cluster. The name `*` stands
 * for the whole collection.
 * @throws as `refusal`, when the review itself is refused
 */
export const mayI = (cluster: Cluster, verb: string, ref: ObjectRef, signal: AbortSignal): Promise<boolean> =>
  review(cluster, resources.SelfSubjectAccessReview, { resourceAttributes: attributesOf(verb, ref) }, signal);

/** Whether the user may GET a non-resource path, such as discovery. @throws as `mayI` */
export const mayGetPath = (cluster: Cluster, path: string, signal: AbortSignal): Promise<boolean> =>
  review(cluster, resources.SelfSubjectAccessReview, { nonResourceAttributes: { path, verb: 'get' } }, signal);

/**
 * Whether another user may do this.
 * @param user as in RoleBindings; `system:serviceaccount:<namespace>:<name>` for a ServiceAccount
 * @throws as `mayI`
 */
export const mayUser = (cluster: Cluster, user: string, { verb, ref }: { verb: string; ref: ObjectRef }, signal: AbortSignal) =>
  review(cluster, resources.SubjectAccessReview, { ...subjectOf(user), resourceAttributes: attributesOf(verb, ref) }, signal);

/** Whether another user may GET a non-resource path. @throws as `mayI` */
export const mayUserGetPath = (cluster: Cluster, user: string, path: string, signal: AbortSignal): Promise<boolean> =>
  review(cluster, resources.SubjectAccessReview, { ...subjectOf(user), nonResourceAttributes: { path, verb: 'get' } }, signal);

/**
 * The name of the user as kube-apiserver sees it (KEP-3325). The kubeconfig only has a name of its
 * own for the credentials.
 * @returns undefined where the cluster does not say it
 */
export async function askUserName(cluster: Cluster, signal: AbortSignal): Promise<string | undefined> {
  const { apiVersion, kind } = resources.SelfSubjectReview;
  const path = resourcePath(resources.SelfSubjectReview);
  const answer = await cluster.request({ method: 'POST', path, body: { apiVersion, kind }, signal });
  if (answer.status !== 201) return undefined;
  return readJson<{ status?: { userInfo?: { username?: string } } }>(cluster, answer).status?.userInfo?.username;
}

const attributesOf = (verb: string, { resource, namespace, name }: ObjectRef): object => ({
  verb,
  group: apiGroup(resource),
  resource: resource.plural,
  subresource: resource.subresource,
  namespace: resource.namespaced ? namespace : undefined,
  // RBAC rules cannot name an object that is being created.
  name: verb === 'create' || name === '*' ? undefined : name,
});

/**
 * A SubjectAccessReview adds no groups. These are the groups that impersonation adds
 * (k8s.io/apiserver/pkg/endpoints/filters/impersonation).
 */
function subjectOf(user: string): object {
  if (user === 'system:anonymous') return { user, groups: ['system:unauthenticated'] };
  const [, namespace] = /^system:serviceaccount:([^:]+):[^:]+$/.exec(user) ?? [];
  const accounts = namespace === undefined ? [] : ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  return { user, groups: [...accounts, 'system:authenticated'] };
}

async function review(cluster: Cluster, resource: Resource, spec: object, signal: AbortSignal): Promise<boolean> {
  const body = { apiVersion: resource.apiVersion, kind: resource.kind, spec };
  const answer = await cluster.request({ method: 'POST', path: resourcePath(resource), body, signal });
  if (answer.status !== 201)
    throw refusal(cluster, { verb: 'create', ref: { resource, namespace: undefined, name: '*' } }, answer, new Date());
  return readJson<{ status?: { allowed?: boolean } }>(cluster, answer).status?.allowed === true;
}
