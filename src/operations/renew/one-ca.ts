import { pause as pauseFor } from '../../cluster/backoff.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { trustsOnly } from '../rotation/bundles.ts';
import { secretRef } from '../rotation/live.ts';
import { ageLimit, type Moment } from '../rotation/moment.ts';
import type { Rotation } from '../rotation/rotation.ts';
import type { Step } from '../runner.ts';
import { readBoth, removeBoth } from './both-cas-secret.ts';
import { follow, isInjected, readVerifying } from './ca-source.ts';

interface OneCa {
  /**
   * Waits until everything serves by the CA that stays.
   * @returns when the last look began
   */
  readonly untilServed: () => Promise<Moment>;
  /** Gets the APIServices that follow the Certificate again. */
  readonly released: Set<string>;
  readonly pause?: typeof pauseFor;
}

/**
 * Lets the cainjector copy the CA of the Certificate again, which may drop the other CA. So each
 * write follows a look at everything, as when apisvc removes a CA itself. Then removes the Secret.
 */
export function oneCaStep(rotation: Rotation, { untilServed, released, pause = pauseFor }: OneCa): Step {
  const { registration } = rotation;
  const injected = async (): Promise<KubeObject | undefined> =>
    (await readVerifying(rotation)).find((each) => isInjected(each, registration));
  const isRecent = ageLimit();
  /** @returns whether nothing is left to do */
  const write = async (): Promise<boolean> => {
    const since = await untilServed();
    const isFresh = (): boolean => isRecent(since);
    const found = await injected();
    if (!found) return removeBoth(rotation, isFresh);
    const { name } = found.metadata;
    released.add(name);
    if (!(await follow(rotation, found, 'certificate', isFresh))) released.delete(name);
    return false;
  };
  return {
    id: 'trust-new',
    title: 'Injecting only the new CA',
    needs: () => [],
    observe: async () => ({ state: !(await injected()) && !(await readBoth(rotation)).own ? 'done' : 'pending' }),
    async run() {
      while (!(await write()));
      await noteKept(rotation, pause);
    },
  };
}

/** How often to look whether the cainjector has removed the old CA, and the pause in between. */
const looks = 10;
const pauseMs = 500;

/** The cainjector takes a moment. Since 1.19, it keeps the CAs that it injected before. */
async function noteKept(rotation: Rotation, pause: typeof pauseFor): Promise<void> {
  const { onProgress, signal, to } = rotation;
  const wide = async (): Promise<readonly KubeObject[]> =>
    (await readVerifying(rotation)).filter((each) => !trustsOnly(viewApiService(each), to.anchors));
  let left = await wide();
  for (let look = 1; left.length > 0 && look < looks; look++) {
    await pause(pauseMs, signal);
    left = await wide();
  }
  for (const { metadata } of left) {
    const what = `cert-manager 1.19 or newer keeps the old CA in the caBundle of apiservice/${metadata.name}; to remove it: ${narrowCommand(rotation, metadata.name)}`;
    onProgress({ kind: 'note', what });
  }
}

/** Writes what the cainjector would add, so that it leaves the value alone. */
function narrowCommand(rotation: Rotation, apiService: string): string {
  const { namespace, name } = secretRef(rotation);
  const ca = `kubectl -n ${namespace} get secret ${name} -o jsonpath='{.data.ca\\.crt}'`;
  // Without the value, nothing is written.
  return `ca=$(${ca}) && [ -n "$ca" ] && kubectl patch apiservice ${apiService} --type=merge -p "{\\"spec\\":{\\"caBundle\\":\\"$ca\\"}}"`;
}
