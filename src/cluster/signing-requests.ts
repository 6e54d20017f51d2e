import { ClusterError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import type { Cluster } from './cluster.ts';
import { fieldManager } from './field-owners.ts';
import { objectIn, refOf } from './objects.ts';
import { type ObjectRef, resourcePath, resources, subresources } from './resources.ts';
import { readStatus, refusal } from './status.ts';

/** A condition of a CertificateSigningRequest (k8s.io/api/certificates/v1/types.go). */
export interface SigningCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface SigningStatus {
  readonly conditions?: readonly SigningCondition[];
  /** PEM, in base64. */
  readonly certificate?: string;
}

export const signingStatus = ({ status = {} }: KubeObject): SigningStatus => status as SigningStatus;

/** A condition that is met. */
export const conditionOf = (request: KubeObject, type: 'Approved' | 'Denied' | 'Failed'): SigningCondition | undefined =>
  signingStatus(request).conditions?.find((each) => each.type === type && each.status === 'True');

/**
 * Creates a CertificateSigningRequest.
 * @returns false if one exists under its name
 * @throws as `refusal`
 */
export async function createSigningRequest(cluster: Cluster, request: KubeObject, signal: AbortSignal): Promise<boolean> {
  const ref = refOf(request);
  const path = resourcePath(ref.resource);
  const answer = await cluster.request({ method: 'POST', path, query: { fieldManager }, body: request, signal });
  if (answer.status === 201) return true;
  if (answer.status === 409 && readStatus(answer).reason === 'AlreadyExists') return false;
  throw refusal(cluster, { verb: 'create', ref }, answer, new Date());
}

/**
 * Adds the condition Approved, as `kubectl certificate approve` does. Another writer may have been
 * faster, which the next look at the request shows.
 * @throws as `refusal` for another failure
 */
export async function approveSigningRequest(cluster: Cluster, request: KubeObject, message: string, signal: AbortSignal): Promise<void> {
  const { name } = request.metadata;
  const conditions = [
    ...(signingStatus(request).conditions ?? []),
    { type: 'Approved', status: 'True', reason: 'ApprovedByApisvc', message },
  ];
  const ref: ObjectRef = { resource: subresources.csrApproval, namespace: undefined, name };
  const path = resourcePath(ref.resource, undefined, name);
  const body = { ...request, status: { ...(request.status as object), conditions } };
  const answer = await cluster.request({ method: 'PUT', path, query: { fieldManager }, body, signal });
  if (answer.status === 200 || answer.status === 409) return;
  throw refusal(cluster, { verb: 'update', ref }, answer, new Date());
}

/** Up to Kubernetes 1.36, clusters that serve the kind at all serve this version. */
const beta = { ...resources.ClusterTrustBundle, apiVersion: 'certificates.k8s.io/v1beta1' };

/**
 * Reads a ClusterTrustBundle.
 * @returns undefined when it does not exist
 * @throws ClusterError when the cluster does not serve the kind; as `refusal`
 */
export async function getTrustBundle(cluster: Cluster, name: string, signal: AbortSignal): Promise<KubeObject | undefined> {
  const ref: ObjectRef = { resource: resources.ClusterTrustBundle, namespace: undefined, name };
  const answer = await cluster.request({ path: resourcePath(ref.resource, undefined, name), signal });
  if (answer.status !== 404 || readStatus(answer).about === name) return objectIn(cluster, ref, answer);
  const older = await cluster.request({ path: resourcePath(beta, undefined, name), signal });
  if (older.status !== 404 || readStatus(older).about === name) return objectIn(cluster, { ...ref, resource: beta }, older);
  throw new ClusterError(`failed to get ClusterTrustBundle "${name}": the cluster does not serve ClusterTrustBundles`, {
    fix: 'In apisvc.yaml, set spec.certificates.issuer.caBundleFile instead of clusterTrustBundle.',
  });
}
