import { RefusedError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import { timeText } from '../pki/time-text.ts';
import { pause } from './backoff.ts';
import type { Cluster } from './cluster.ts';
import { getObject } from './objects.ts';
import { type RotatedService, type RotationLease, rotationLease, viewRotationLease } from './rotation-lease.ts';

/** Whether the holder of a Lease is gone, by the monotonic clock of this machine alone. */

export interface SilenceRequest {
  readonly service: RotatedService;
  readonly signal: AbortSignal;
  /** The APIServices of the Service, for a user who names them and has no project directory. */
  readonly apiServices?: readonly string[];
  /** Called when the holder of the Lease may still run. Its Lease is then watched. */
  readonly onWait?: (lease: RotationLease) => void;
}

/** How often to look whether another holder renews. */
const lookMs = 500;

/**
 * Waits until nobody holds a Lease, or until its holder did not renew it for its duration.
 * @returns the Lease then; undefined when it was deleted
 * @throws RefusedError as soon as a holder renews it, or another process takes it
 */
export async function awaitSilence(
  cluster: Cluster,
  { service, signal, apiServices = [], onWait }: SilenceRequest,
  found: KubeObject,
): Promise<KubeObject | undefined> {
  const { identity, renewed, durationSeconds } = viewRotationLease(found);
  if (identity === '') return found;
  onWait?.(viewRotationLease(found));
  const silentAt = performance.now() + durationSeconds * 1_000;
  let latest = found;
  while (performance.now() < silentAt) {
    await pause(Math.min(lookMs, durationSeconds * 100), signal);
    const now = await getObject(cluster, rotationLease(service), signal);
    if (!now) return undefined;
    const view = viewRotationLease(now);
    if (view.identity === '') return now;
    if (view.identity !== identity || view.renewed !== renewed) throw inUse(service, view, apiServices);
    latest = now;
  }
  return latest;
}

/** Only a rotation that has begun to write has a journal. The holder may also register. */
function inUse({ namespace, name }: RotatedService, lease: RotationLease, apiServices: readonly string[]): RefusedError {
  const { holder, acquired, journal } = lease;
  const doing = `${acquired ? 'has been' : 'is'} ${journal ? 'rotating' : 'changing'} the certificate`;
  const since = acquired ? ` since ${timeText(acquired)}` : '';
  const status = ['apisvc status', ...apiServices].join(' ');
  return new RefusedError(`${holder} ${doing} of Service ${namespace}/${name}${since}`, {
    fix: journal
      ? `Wait until that rotation is complete. To see its progress: ${status}`
      : `Wait until that command is complete. To see the certificate: ${status}`,
  });
}
