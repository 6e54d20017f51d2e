import { refOf } from '../../cluster/objects.ts';
import { type StoredMetadata, sendMergePatch } from '../../cluster/ownership.ts';
import type { ObjectRef } from '../../cluster/resources.ts';
import { readStatus, refusal } from '../../cluster/status.ts';
import type { KubeObject } from '../../manifests/types.ts';
import type { Rotation } from './rotation.ts';

type Where = Pick<Rotation, 'cluster' | 'signal'>;

/**
 * Changes annotations that no manifest of the project has. Server-side apply would remove them with
 * the next `register`, and restart the pods.
 * @returns false where the object no longer exists
 * @throws as `refusal`
 */
export async function mergePatch({ cluster, signal }: Where, ref: ObjectRef, body: object): Promise<boolean> {
  const answer = await sendMergePatch(cluster, ref, body, signal);
  if (answer.status === 404 && readStatus(answer).about === ref.name) return false;
  if (answer.status !== 200) throw refusal(cluster, { verb: 'patch', ref }, answer, new Date());
  return true;
}

/**
 * Changes annotations as `mergePatch` does, of one version of an object.
 * @returns false where another writer changed or deleted the object since it was read
 * @throws as `refusal`
 */
export async function annotate({ cluster, signal }: Where, found: KubeObject, annotations: object): Promise<boolean> {
  const ref = refOf(found);
  const { resourceVersion } = found.metadata as StoredMetadata;
  const answer = await sendMergePatch(cluster, ref, { metadata: { resourceVersion, annotations } }, signal);
  if (answer.status === 409 || (answer.status === 404 && readStatus(answer).about === ref.name)) return false;
  if (answer.status !== 200) throw refusal(cluster, { verb: 'patch', ref }, answer, new Date());
  return true;
}
