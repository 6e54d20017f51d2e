import { sendMergePatch } from '../../cluster/ownership.ts';
import type { ObjectRef } from '../../cluster/resources.ts';
import { refusal } from '../../cluster/status.ts';
import type { Rotation } from './rotation.ts';

/**
 * Changes annotations that no manifest of the project has. Server-side apply would remove them with
 * the next `register`, and restart the pods.
 * @throws as `refusal`
 */
export async function mergePatch({ cluster, signal }: Pick<Rotation, 'cluster' | 'signal'>, ref: ObjectRef, body: object): Promise<void> {
  const answer = await sendMergePatch(cluster, ref, body, signal);
  if (answer.status !== 200) throw refusal(cluster, { verb: 'patch', ref }, answer, new Date());
}
