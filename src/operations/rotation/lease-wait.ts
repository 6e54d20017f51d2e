import type { RotationLease } from '../../cluster/rotation-lease.ts';
import type { Waiting } from '../wait.ts';

/** Says why a command waits before it changes anything, for `awaitSilence`. */
export const noteLeaseWait =
  ({ onProgress }: Pick<Waiting, 'onProgress'>) =>
  ({ holder, durationSeconds }: RotationLease): void =>
    onProgress({
      kind: 'note',
      what: `${holder} holds the Lease of the Service; waiting up to ${durationSeconds}s to see whether it renews the Lease`,
    });
