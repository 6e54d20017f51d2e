import type { Cluster } from '../../cluster/cluster.ts';
import { wasRefused } from '../../cluster/faults.ts';
import { secretName } from '../../config/registration.ts';
import { responsibilitiesOf } from '../../config/responsibilities.ts';
import { caBundleOf } from '../../pki/anchors.ts';
import { inspect } from '../../pki/inspect.ts';
import { type CopyCheck, outdatedCopy } from '../outdated.ts';
import type { OnProgress } from '../progress.ts';
import { replacedCa } from '../replaced-ca.ts';
import { type Step, withoutChanges } from '../runner.ts';
import type { RegisterRequest } from './request.ts';

/** The check for `register`; undefined where others write the Secret. */
export function copyCheckOf(cluster: Cluster, request: RegisterRequest): CopyCheck | undefined {
  const { registration, issued, project, signal } = request;
  if (!issued || !responsibilitiesOf(registration).inProject) return undefined;
  const presented = inspect(issued.chain).certificates;
  const anchors = inspect(caBundleOf(issued)).certificates;
  return { cluster, registration, dir: project?.directory ?? '.', presented, anchors, now: new Date(), signal };
}

/**
 * Refuses to go back to an older certificate, and to break an API by a new CA. Without the
 * permission to read the Secret, only a note is left: the Secret is not written then.
 * @throws RefusedError as `outdatedCopy` and `replacedCa` return it
 */
export async function requireCurrentCopy(check: CopyCheck, onProgress: OnProgress): Promise<void> {
  const { metadata } = check.registration;
  const refused = await findFault(check).catch((error) => {
    if (!wasRefused(error)) throw error;
    const what = `not allowed to get Secret ${metadata.namespace}/${secretName(check.registration)}; not checking whether the cluster has a newer certificate`;
    onProgress({ kind: 'note', what });
    return undefined;
  });
  if (refused) throw withoutChanges(refused);
}

/** The same, while no rotation can start: one may have been completed since the first check. */
export const currentCopyStep = (check: CopyCheck): Step => ({
  id: 'current-copy',
  needs: () => [],
  async observe() {
    await requireCurrentCopy(check, () => {});
    return { state: 'done' };
  },
  run: async () => {},
});

const findFault = async (check: CopyCheck) => (await outdatedCopy(check)) ?? replacedCa(check);
