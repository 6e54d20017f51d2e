import { fieldOwner } from '../../cluster/managed-fields.ts';
import { refOf } from '../../cluster/objects.ts';
import { describeRef } from '../../cluster/resources.ts';
import { RefusedError } from '../../errors.ts';
import { base64, secretEntry } from '../../manifests/secret.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { bundleText, trustsOnly } from '../rotation/bundles.ts';
import { changeFields } from '../rotation/change-fields.ts';
import { bundleNeeds, hasSecret, readApiServices, readSecret, secretNeeds } from '../rotation/live.ts';
import { ageLimit, type Moment } from '../rotation/moment.ts';
import { type Rotation, wordsOf } from '../rotation/rotation.ts';
import type { Trust } from '../rotation/trust-keeper.ts';
import type { Step } from '../runner.ts';

/**
 * Removes every other CA from the caBundles, and then from the Secret.
 * @param untilServed waits until everything serves by the CA that stays. It also looks at the
 * Secret: pods follow it, so an overwritten one would bring the certificate of the other CA back.
 * Returns when the last look began
 */
export function trustNewStep(rotation: Rotation, { keeper, copies }: Trust, untilServed: () => Promise<Moment>): Step {
  const { to } = rotation;
  const which = wordsOf(rotation).to;
  const wide = async (): Promise<KubeObject | undefined> =>
    (await readApiServices(rotation)).find((each) => !trustsOnly(viewApiService(each), to.anchors));
  const untidy = async (): Promise<KubeObject | undefined> => {
    const secret = hasSecret(rotation) ? await readSecret(rotation) : undefined;
    return secret && secretEntry(secret, 'ca.crt') !== bundleText(to.anchors) ? secret : undefined;
  };
  const isRecent = ageLimit();
  /**
   * Each write takes trust away, so that each follows a look at everything. Where another writer
   * was faster, or the look is too old when the write is due, the next round looks again.
   * @param next the next object to write
   */
  const afterLook = async (
    next: () => Promise<KubeObject | undefined>,
    write: (found: KubeObject, isFresh: () => boolean) => Promise<boolean>,
  ): Promise<void> => {
    for (;;) {
      const since = await untilServed();
      const found = await next();
      if (!found) return;
      await write(found, () => isRecent(since));
    }
  };
  /** How often the other CA was removed from the Secret. */
  let tidied = 0;
  const tidy = async (found: KubeObject, isFresh: () => boolean): Promise<boolean> => {
    const what = `${describeRef(refOf(found))}: ${fieldOwner(found, ['data', 'ca.crt'])} overwrote ca.crt`;
    if (tidied > 1) throw overwrittenAgain(what);
    if (tidied > 0) rotation.onProgress({ kind: 'note', what: `${what} during the rotation; restoring it once` });
    const isWritten = await changeFields(rotation, found, { data: { 'ca.crt': base64(bundleText(to.anchors)) } }, { isFresh });
    if (isWritten) tidied += 1;
    return isWritten;
  };
  return {
    id: `trust-${which}`,
    title: `Trusting only the ${which} CA`,
    needs: () => [...bundleNeeds, ...(hasSecret(rotation) ? secretNeeds(rotation) : [])],
    observe: async () => ({ state: (await wide()) || (await untidy()) ? 'pending' : 'done' }),
    async run() {
      // There is no way back from here for a webhook that does not trust the CA that stays.
      await copies.keep();
      // While the Secret is written, an incomplete look makes the caBundles wide again.
      do {
        await afterLook(wide, keeper.narrow);
        await afterLook(untidy, tidy);
      } while (await wide());
    },
  };
}

const overwrittenAgain = (what: string): RefusedError =>
  new RefusedError(`${what} a second time during the rotation`, {
    fix: 'Pause the tool that writes the Secret, and run the same command again to continue.',
  });
