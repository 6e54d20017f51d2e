import { RefusedError } from '../../errors.ts';
import type { Step } from '../runner.ts';
import type { Where } from './renew-step.ts';

/**
 * Keeps both CAs trusted between the step that has them injected and the end of the rotation. A
 * GitOps tool may change the annotation back, and the CA may be renewed again. The first time, both
 * CAs are injected again. The second time, it fails after that.
 * @param both has the cainjector write both CAs
 * @param uptake waits until every kube-apiserver uses them
 * @returns what restores the trust. It throws RefusedError the second time, and what the steps
 * throw
 */
export function keptTrust({ onProgress }: Pick<Where, 'onProgress'>, both: Step, uptake: Step): () => Promise<void> {
  let isRestored = false;
  return async () => {
    const found = await both.observe();
    if (found.state === 'done') return;
    if (found.state === 'fault') throw found.error;
    onProgress({ kind: 'note', what: 'the annotation or the caBundle of an APIService was changed; restoring both CAs' });
    await both.run();
    await uptake.run();
    if (isRestored) {
      throw new RefusedError('the annotations or the caBundle of an APIService were changed a second time during the rotation', {
        fix: 'Stop the tool that changes them, for example by pausing a GitOps sync, and run the same command again to continue.',
      });
    }
    isRestored = true;
  };
}
