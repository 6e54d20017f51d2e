import { caSecretRef } from '../ca-secret.ts';
import { caCopies } from '../rotation/ca-copies.ts';
import { guard as guardOf } from '../rotation/guard.ts';
import { hasSecret } from '../rotation/live.ts';
import { lookAtAll } from '../rotation/look.ts';
import type { Rotation } from '../rotation/rotation.ts';
import { trustKeeper } from '../rotation/trust-keeper.ts';
import type { Step } from '../runner.ts';
import { currentCaKeyStep, dropCaKeyStep, type NextCaKey, nextCaKeyStep } from '../steps/ca-key.ts';
import { onDiskStep } from '../steps/on-disk.ts';
import { restarts as restartsOf } from '../steps/restarts.ts';
import { secretStep } from '../steps/secret.ts';
import { servedStep, untilServed } from '../steps/served.ts';
import { soakStep } from '../steps/soak.ts';
import { trustBothStep } from '../steps/trust-both.ts';
import { trustNewStep } from '../steps/trust-new.ts';
import { uptakeStep } from '../steps/uptake.ts';

/** What a rotation does on disk. */
export interface OnDisk extends Omit<NextCaKey, 'ref'> {
  readonly write: () => void;
  readonly promote: () => void;
  readonly discard: () => void;
}

/** The steps of a rotation, or of its way back, up to the certificates on disk. */
export function stepList(rotation: Rotation, disk: OnDisk): readonly Step[] {
  const { kind, direction } = rotation;
  const look = lookAtAll(rotation);
  const keeper = trustKeeper(rotation);
  const trust = { keeper, copies: caCopies(rotation) };
  const guard = guardOf(rotation, keeper, look);
  const restarts = restartsOf(rotation);
  const served = servedStep(rotation, look, guard, restarts);
  // Pods follow the Secret at any moment. Without one, only they tell.
  const isDelivered = async (): Promise<boolean> =>
    hasSecret(rotation) ? (await secret.observe()).state === 'done' : (await look()).complete;
  const uptake = uptakeStep(rotation, isDelivered);
  const secret = secretStep(rotation, trust, look, uptake);
  const delivery = [...(hasSecret(rotation) ? [secret] : []), served];
  const ref = caSecretRef(rotation.registration);
  const next = ref && { ...disk, ref };
  const isBack = direction === 'back';
  const cluster =
    kind === 'leaf'
      ? delivery
      : [
          ...(next && !isBack ? [nextCaKeyStep(rotation, next)] : []),
          trustBothStep(rotation, trust, look, isDelivered),
          uptake,
          ...delivery,
          ...(isBack && rotation.neverServed ? [] : [soakStep(rotation, look, guard, restarts)]),
          trustNewStep(rotation, trust, () => untilServed(rotation, look, guard, restarts)),
          ...(next ? [isBack ? dropCaKeyStep(rotation, next) : currentCaKeyStep(rotation, next)] : []),
        ];
  if (isBack) {
    return [...cluster, onDiskStep({ id: 'discard', title: 'Removing certs/next', isDone: () => !disk.isIssued(), run: disk.discard })];
  }
  const title = kind === 'ca' ? 'Issuing a CA and a serving certificate to certs/next' : 'Issuing a serving certificate to certs/next';
  return [
    onDiskStep({ id: 'issue', title, isDone: disk.isIssued, run: disk.write }),
    ...cluster,
    onDiskStep({ id: 'promote', title: 'Moving certs/next to certs', isDone: () => false, run: disk.promote }),
  ];
}
