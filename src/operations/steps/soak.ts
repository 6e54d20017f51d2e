import { viewApiService } from '../../snapshot/views.ts';
import { trustsOnly } from '../rotation/bundles.ts';
import type { Guard } from '../rotation/guard.ts';
import { readRotated } from '../rotation/live.ts';
import { type LookAtAll, progressOf } from '../rotation/look.ts';
import { countQuiet, notQuiet } from '../rotation/quiet-time.ts';
import { type Rotation, serviceOf, wordsOf } from '../rotation/rotation.ts';
import type { Step } from '../runner.ts';
import { podCommands, poll, waitFor } from '../wait.ts';
import type { Restarts } from './restarts.ts';
import { servedNeeds } from './served.ts';

/**
 * Looks at all pods for some time before the CA that is left is removed from the caBundle. A pod
 * that serves another certificate, such as one that just started with an old copy of the Secret,
 * restarts the time. It counts only while every endpoint is seen.
 */
export function soakStep(rotation: Rotation, look: LookAtAll, guard: Guard, restarts: Restarts): Step {
  const { soakMs, to } = rotation;
  return {
    id: 'soak',
    title: `Watching all endpoints for ${soakMs / 1000}s`,
    needs: () => servedNeeds(rotation),
    async observe() {
      const narrow = (await readRotated(rotation)).every((each) => trustsOnly(viewApiService(each), to.anchors));
      return { state: narrow ? 'done' : 'pending' };
    },
    run: () => soak(rotation, look, guard, restarts),
  };
}

async function soak(rotation: Rotation, look: LookAtAll, guard: Guard, restarts: Restarts): Promise<void> {
  const { soakMs } = rotation;
  let quiet = notQuiet;
  let otherSinceMs: number | undefined;
  const what = `every endpoint to serve the ${wordsOf(rotation).to} certificate for ${soakMs / 1000}s`;
  await waitFor(what, podCommands(serviceOf(rotation).namespace), rotation, async (report) => {
    await poll({ firstMs: 500, signal: rotation.signal, report }, async () => {
      const before = quiet;
      // The look may fail.
      quiet = countQuiet(before, undefined, performance.now());
      await guard();
      const seen = await look();
      const nowMs = performance.now();
      quiet = countQuiet(before, seen, nowMs);
      report(seen.complete ? 'all endpoints serve it' : progressOf(seen));
      if (seen.others.length > 0) {
        otherSinceMs ??= nowMs;
        await restarts.consider(seen, nowMs - otherSinceMs);
      } else otherSinceMs = undefined;
      return seen.complete && !restarts.isRollingOut() && quiet.ms >= soakMs ? true : undefined;
    });
  });
}
