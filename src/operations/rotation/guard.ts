import { fieldOwner } from '../../cluster/managed-fields.ts';
import { RefusedError } from '../../errors.ts';
import { hasSecret, leafOf, readSecret, secretRef } from './live.ts';
import type { LookAtAll } from './look.ts';
import { type Rotation, wayBack, wordsOf } from './rotation.ts';
import type { TrustKeeper } from './trust-keeper.ts';

/**
 * Looks whether somebody changed what the rotation wrote.
 * @throws RefusedError that names who did
 */
export type Guard = () => Promise<void>;

/** Puts an overwritten caBundle right once, and refuses a Secret that was edited. */
export function guard(rotation: Rotation, keeper: TrustKeeper, look: LookAtAll): Guard {
  return async () => {
    await keeper.keep(async () => (await look()).complete);
    if (!hasSecret(rotation)) return;
    const secret = await readSecret(rotation);
    if (leafOf(secret)?.fingerprint === rotation.to.leaf) return;
    const { namespace, name } = secretRef(rotation);
    throw new RefusedError(
      `Secret ${namespace}/${name} was changed during the rotation by ${fieldOwner(secret, ['data', 'tls.crt'])}: it does not contain the ${wordsOf(rotation).to} certificate`,
      {
        fix: [
          'Stop the tool that changes the Secret. Then run the same command again with --force-conflicts to write the Secret again.',
          ...wayBack(rotation),
        ].join('\n'),
      },
    );
  };
}
