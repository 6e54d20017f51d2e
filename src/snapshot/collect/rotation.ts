import { pause } from '../../cluster/backoff.ts';
import { getObject } from '../../cluster/objects.ts';
import { rotationLease, viewRotationLease } from '../../cluster/rotation-lease.ts';
import type { Observed, RotationView } from '../types.ts';
import type { CollectContext } from './context.ts';
import type { Inventory, Name } from './inventory.ts';
import { observe } from './observe.ts';

/** A running rotation renews its Lease every 5 seconds. In milliseconds. */
const waits = { look: 500, longest: 7_000 };

/**
 * Reads how far a rotation of the certificate of a Service is, and whether it runs. A Lease tells
 * that only by being renewed: the clocks of other machines differ.
 * @returns absent when no rotation has changed anything
 * @throws the reason of the signal
 */
export async function collectRotation(
  context: CollectContext,
  inventory: Inventory,
  service: Name,
  wait = waits,
): Promise<Observed<RotationView>> {
  const first = await inventory.rotation(service);
  if (first.state !== 'seen') return first;
  const { journal, identity, renewed } = first.value;
  if (!journal) return { state: 'absent' };
  // A run that ends early gives its Lease up.
  let holder: string | undefined;
  for (let waited = 0; identity !== '' && holder === undefined && waited < wait.longest; waited += wait.look) {
    await pause(wait.look, context.signal);
    const next = await observe(context, () => getObject(context.cluster, rotationLease(service), context.signal), viewRotationLease);
    if (next.state === 'absent') return next;
    if (next.state === 'seen' && next.value.renewed !== renewed) holder = next.value.holder;
  }
  return { state: 'seen', value: { ...journal, holder: holder || journal.holder, running: Boolean(holder) } };
}
