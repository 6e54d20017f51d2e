import type { Cluster } from './cluster.ts';
import { apiGroup, type ObjectRef, resourcePath, resources } from './resources.ts';
import { readJson, refusal } from './status.ts';

/**
 * Whether the person may do this, as the cluster's authorizers say. The name `*` stands for the whole collection.
 * @throws what `refusal` says when the question itself is refused
 */
export function mayI(cluster: Cluster, verb: string, { resource, namespace, name }: ObjectRef, signal: AbortSignal): Promise<boolean> {
  const resourceAttributes = {
    verb,
    group: apiGroup(resource),
    resource: resource.plural,
    subresource: resource.subresource,
    namespace: resource.namespaced ? namespace : undefined,
    // A name that is only being given can't be named in a rule.
    name: verb === 'create' || name === '*' ? undefined : name,
  };
  return review(cluster, { resourceAttributes }, signal);
}

/** Whether the person may GET a path that is no resource, such as a discovery document. @throws as `mayI` */
export const mayGetPath = (cluster: Cluster, path: string, signal: AbortSignal): Promise<boolean> =>
  review(cluster, { nonResourceAttributes: { path, verb: 'get' } }, signal);

async function review(cluster: Cluster, spec: object, signal: AbortSignal): Promise<boolean> {
  const { SelfSubjectAccessReview: resource } = resources;
  const body = { apiVersion: resource.apiVersion, kind: resource.kind, spec };
  const answer = await cluster.request({ method: 'POST', path: resourcePath(resource), body, signal });
  if (answer.status !== 201)
    throw refusal(cluster, { verb: 'create', ref: { resource, namespace: undefined, name: '' } }, answer, new Date());
  return readJson<{ status?: { allowed?: boolean } }>(cluster, answer).status?.allowed === true;
}
