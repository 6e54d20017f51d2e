import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { bundleFault } from '../rotation/injection.ts';
import { bundleNeeds, hasSecret, readRotated, secretNeeds } from '../rotation/live.ts';
import type { LookAtAll } from '../rotation/look.ts';
import type { Rotation } from '../rotation/rotation.ts';
import type { Trust } from '../rotation/trust-keeper.ts';
import { combineErrors, type Step } from '../runner.ts';

/**
 * Adds the CA to the caBundle of every APIService that leads to the Service, and to the Secret
 * where webhooks copy the CA from it. The CA that is left stays.
 * @param isDelivered whether pods may serve the certificate already
 */
export function trustBothStep(rotation: Rotation, { keeper, copies }: Trust, look: LookAtAll, isDelivered: () => Promise<boolean>): Step {
  const nothingServesFrom = async (): Promise<boolean> => (await look()).complete;
  return {
    id: 'trust-both',
    title: 'Trusting both CAs',
    needs: () => [...bundleNeeds, ...(hasSecret(rotation) ? secretNeeds(rotation) : [])],
    async observe() {
      const found = await readRotated(rotation);
      const lacking = await keeper.lacking(nothingServesFrom);
      // What was refused before the first write has nothing to undo.
      const isBack = rotation.direction === 'back' && lacking.length === 0;
      if (isBack && (await isDelivered())) return { state: 'done' };
      const unfit = isBack ? [] : found.flatMap((each) => bundleFault(each) ?? portFault(each, rotation) ?? []);
      if (unfit.length > 0) return { state: 'fault', error: combineErrors(unfit) };
      const { conflict, isPending } = await copies.observe();
      const faults = [...lacking.flatMap((each) => keeper.widenFault(each) ?? []), ...(conflict ? [conflict] : [])];
      if (faults.length > 0) return { state: 'fault', error: combineErrors(faults) };
      return { state: lacking.length === 0 && !isPending ? 'done' : 'pending' };
    },
    async run() {
      for (const apiService of await keeper.lacking(nothingServesFrom)) await keeper.widen(apiService);
      await copies.keep();
    },
  };
}

/** Only the endpoints of one port are looked at before a CA loses its trust. */
function portFault(apiService: KubeObject, { registration }: Rotation): RefusedError | undefined {
  const { name, service } = viewApiService(apiService);
  const { port } = registration.spec.service;
  if (service === undefined || service.port === port) return undefined;
  return new RefusedError(
    `APIService ${name} uses port ${service.port} of Service ${service.namespace}/${service.name}, but the project uses port ${port}`,
    { fix: 'Use the same port in both, or use a different Service for one of them.' },
  );
}
