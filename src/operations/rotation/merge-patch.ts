import { sendMergePatch } from '../../cluster/ownership.ts';
import type { ObjectRef } from '../../cluster/resources.ts';
import { readStatus, refusal } from '../../cluster/status.ts';
import type { Rotation } from './rotation.ts';

/**
 * Changes annotations that no manifest of the project has. Server-side apply would remove them with
 * the next `register`, and restart the pods.
 * @returns false where the object no longer exists
 * @throws as `refusal`
 */
export async function mergePatch(
  { cluster, signal }: Pick<Rotation, 'cluster' | 'signal'>,
  ref: ObjectRef,
  body: object,
): Promise<boolean> {
  const answer = await sendMergePatch(cluster, ref, body, signal);
  if (answer.status === 404 && readStatus(answer).about === ref.name) return false;
  if (answer.status !== 200) throw refusal(cluster, { verb: 'patch', ref }, answer, new Date());
  return true;
}
