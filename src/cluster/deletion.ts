import { RefusedError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import type { Cluster } from './cluster.ts';
import { getObject, refOf } from './objects.ts';
import { type ApplyOptions, ownershipOf } from './ownership.ts';
import { describeRef, resourcePath } from './resources.ts';
import { readStatus, refusal } from './status.ts';

/** `gone`: it did not exist any more. `stale`: it was changed or replaced since it was read. */
export type DeleteResult = 'deleted' | 'gone' | 'stale';

type DeleteOptions = Omit<ApplyOptions, 'force'>;

/**
 * Deletes an object that apisvc created.
 * @param found the object as the cluster has it; any later version of it is left unchanged
 * @throws RefusedError for an object of another owner; as `refusal` otherwise
 */
export async function deleteObject(cluster: Cluster, found: KubeObject, options: DeleteOptions): Promise<DeleteResult> {
  if (ownershipOf(found) !== 'created') {
    throw new RefusedError(`${describeRef(refOf(found))} was not created by apisvc, so it is kept`);
  }
  return deleteAnyObject(cluster, found, options);
}

/** Deletes an object of anybody, as `deleteObject` does. The caller has asked the user. */
export async function deleteAnyObject(cluster: Cluster, found: KubeObject, { dryRun, signal }: DeleteOptions): Promise<DeleteResult> {
  const ref = refOf(found);
  const { uid, resourceVersion } = found.metadata as StoredMetadata;
  const answer = await cluster.request({
    method: 'DELETE',
    path: resourcePath(ref.resource, ref.namespace, ref.name),
    // kube-apiserver ignores the query where there is a body
    // (k8s.io/apiserver/pkg/endpoints/handlers/delete.go).
    body: {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid, resourceVersion },
      propagationPolicy: 'Background',
      ...(dryRun ? { dryRun: ['All'] } : {}),
    },
    signal,
  });
  if (answer.status === 200 || answer.status === 202) return 'deleted';
  if (answer.status === 404 && readStatus(answer).about === ref.name) return 'gone';
  if (answer.status === 409) {
    const present = await getObject(cluster, ref, signal);
    const now = present?.metadata as StoredMetadata | undefined;
    // An admission webhook may answer 409 too.
    if (now?.uid !== uid || now?.resourceVersion !== resourceVersion) return 'stale';
  }
  throw refusal(cluster, { verb: 'delete', ref }, answer, new Date());
}

type StoredMetadata = KubeObject['metadata'] & { readonly uid?: string; readonly resourceVersion?: string };
