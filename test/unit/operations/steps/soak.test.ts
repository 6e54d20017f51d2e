import { expect, test } from 'vitest';
import type { Registration } from '../../../../src/config/schema.ts';
import type { Look } from '../../../../src/operations/rotation/look.ts';
import type { Rotation } from '../../../../src/operations/rotation/rotation.ts';
import type { Restarts } from '../../../../src/operations/steps/restarts.ts';
import { soakStep } from '../../../../src/operations/steps/soak.ts';
import { never } from '../../cluster/kube-api.ts';

const registration = { metadata: { namespace: 'wardle', name: 'api' }, spec: { service: { name: 'api' } } } as unknown as Registration;
const restarts: Restarts = { consider: async () => {}, restartAll: async () => {}, isRollingOut: () => false };

test('the time before the first complete look does not count', async () => {
  const rotation = { signal: never, onProgress: () => {}, registration, soakMs: 100, to: {}, direction: 'forward' } as unknown as Rotation;
  const seen: boolean[] = [];
  // The pause after the first look is longer than the time.
  const look = async (): Promise<Look> => {
    const complete = seen.length > 0;
    seen.push(complete);
    return { complete, probes: [], waiting: [], pods: [], others: [], remaining: ['pod a is Pending'] };
  };
  await soakStep(rotation, look, async () => {}, restarts).run();
  expect(seen).toEqual([false, true, true]);
});
