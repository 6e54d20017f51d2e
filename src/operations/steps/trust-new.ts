import { base64, secretEntry } from '../../manifests/secret.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { bundleText, trustsOnly } from '../rotation/bundles.ts';
import { changeFields } from '../rotation/change-fields.ts';
import { bundleNeeds, hasSecret, readRotated, readSecret, secretNeeds } from '../rotation/live.ts';
import { ageLimit, type Moment } from '../rotation/moment.ts';
import { overwritesOf } from '../rotation/overwrites.ts';
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
    (await readRotated(rotation)).find((each) => !trustsOnly(viewApiService(each), to.anchors));
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
  const overwrites = overwritesOf(rotation, ['data', 'ca.crt'], 'ca.crt');
  /** Whether this run has removed the other CA from the Secret. */
  let isTidy = false;
  const tidy = async (found: KubeObject, isFresh: () => boolean): Promise<boolean> => {
    if (isTidy) {
      const error = overwrites.note(found, ['Pause the tool that writes the Secret, and run the same command again to continue.']);
      if (error) throw error;
      overwrites.restored(found);
    }
    // A write that fails is no reason to call the next one a restoration.
    isTidy = false;
    isTidy = await changeFields(rotation, found, { data: { 'ca.crt': base64(bundleText(to.anchors)) } }, { isFresh });
    return isTidy;
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
