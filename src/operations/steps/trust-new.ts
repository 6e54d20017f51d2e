import { base64, secretEntry } from '../../manifests/secret.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { bundleText, trustsOnly } from '../rotation/bundles.ts';
import { changeFields } from '../rotation/change-fields.ts';
import type { Guard } from '../rotation/guard.ts';
import { hasSecret, readApiServices, readSecret } from '../rotation/live.ts';
import type { Rotation } from '../rotation/rotation.ts';
import { setBundle } from '../rotation/trust-keeper.ts';
import type { Step } from '../runner.ts';

/**
 * Removes every other CA from the caBundles, and then from the Secret. Just before, it waits until
 * everything serves by the CA that stays.
 */
export function trustNewStep(rotation: Rotation, served: Step, guard: Guard): Step {
  const { to, direction } = rotation;
  const isNarrow = async (): Promise<boolean> =>
    (await readApiServices(rotation)).every((each) => trustsOnly(viewApiService(each), to.anchors));
  const isTidy = async (): Promise<boolean> =>
    !hasSecret(rotation) || secretEntry(await readSecret(rotation), 'ca.crt') === bundleText(to.anchors);
  return {
    id: direction === 'forward' ? 'trust-new' : 'trust-old',
    title: `Trusting only the ${direction === 'forward' ? 'new' : 'old'} CA`,
    needs: () => [],
    observe: async () => ({ state: (await isNarrow()) && (await isTidy()) ? 'done' : 'pending' }),
    async run() {
      // Pods follow the Secret, so an overwritten one would bring the certificate of the other CA
      // back.
      await guard();
      if ((await served.observe()).state !== 'done') await served.run();
      for (const apiService of await readApiServices(rotation)) {
        if (!trustsOnly(viewApiService(apiService), to.anchors)) await setBundle(rotation, apiService, () => to.anchors);
      }
      if (await isTidy()) return;
      await changeFields(rotation, await readSecret(rotation), () => ({ data: { 'ca.crt': base64(bundleText(to.anchors)) } }));
    },
  };
}
