import type { Cluster } from '../../cluster/cluster.ts';
import { type Resource, resourcePath } from '../../cluster/resources.ts';
import { readJson, readStatus } from '../../cluster/status.ts';

/**
 * Asks kube-apiserver to judge: a TokenReview or a SubjectAccessReview. @returns the status of the review
 * @throws Error with kube-apiserver's words when it does not, such as for want of ClusterRole system:auth-delegator
 */
export async function review<Status>(cluster: Cluster, resource: Resource, spec: unknown, signal: AbortSignal): Promise<Status> {
  const body = { apiVersion: resource.apiVersion, kind: resource.kind, spec };
  const answer = await cluster.request({ method: 'POST', path: resourcePath(resource), body, signal });
  if (answer.status !== 201) throw new Error(readStatus(answer).message);
  return readJson<{ status: Status }>(cluster, answer).status;
}
