import type { Cluster } from '../cluster/cluster.ts';
import { wasRefused } from '../cluster/faults.ts';
import { awaitSilence } from '../cluster/lease-silence.ts';
import { getObject } from '../cluster/objects.ts';
import { type Journal, type RotatedService, rotationLease, viewRotationLease } from '../cluster/rotation-lease.ts';
import { fixInDirectory } from '../config/project-commands.ts';
import { RefusedError } from '../errors.ts';
import { timeText } from '../pki/time-text.ts';
import type { OnProgress } from './progress.ts';
import { noteLeaseWait } from './rotation/lease-wait.ts';
import { withoutChanges } from './runner.ts';

export interface RotationCheck {
  readonly service: RotatedService;
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/**
 * Refuses to change a Service whose rotation is not complete: the Secret and the caBundle in the
 * cluster are then those of a step. A rotation that has not recorded a step yet counts while its
 * process renews the Lease. Without the permission to get the Lease, only a note is left.
 * @throws RefusedError with who ran the rotation last and its start; as `refusal`
 */
export async function requireNoRotation(cluster: Cluster, check: RotationCheck): Promise<void> {
  await lookForRotation(cluster, check).catch((error) => {
    throw error instanceof RefusedError ? withoutChanges(error) : error;
  });
}

/** As `requireNoRotation`, for a run that has written already. */
export async function lookForRotation(cluster: Cluster, check: RotationCheck): Promise<void> {
  const { service, directory, signal, onProgress } = check;
  const ref = rotationLease(service);
  const lease = await getObject(cluster, ref, signal).catch((error) => {
    if (!wasRefused(error)) throw error;
    onProgress({
      kind: 'note',
      what: `not allowed to get Lease ${ref.namespace}/${ref.name}; not checking whether a rotation is in progress`,
    });
    return undefined;
  });
  if (!lease) return;
  const { journal, identity } = viewRotationLease(lease);
  if (journal) throw incomplete(check, journal, identity !== '');
  await awaitSilence(cluster, { service, signal, onWait: noteLeaseWait({ onProgress }) }, lease).catch((error) => {
    throw error instanceof RefusedError ? inProject(error, directory) : error;
  });
}

/** @param isHeld whether a process holds the Lease, or was killed while it did */
export function incomplete({ service, directory }: RotationCheck, journal: Journal, isHeld: boolean): RefusedError {
  const what = `a rotation of the certificate of Service ${service.namespace}/${service.name} is not complete`;
  const fix = [
    ...(isHeld ? ['If the rotation is running, wait until it is complete. To see its progress: apisvc status'] : []),
    `${isHeld ? 'Otherwise, finish' : 'Finish'} the rotation in the project directory where it was started: apisvc rotate -C DIR`,
    // cert-manager replaces the old certificate.
    ...(journal.newCertificate !== undefined || journal.direction === 'back' ? ['Or roll back first: apisvc rotate --abort'] : []),
  ].join('\n');
  const refused = new RefusedError(`${what}: it started at ${timeText(journal.started)}, and was last run by ${journal.holder}`, { fix });
  return inProject(refused, directory);
}

/** Adds the directory of the project to the commands of a fix. */
export const inProject = (error: RefusedError, directory: string): RefusedError =>
  Object.assign(error, { fix: error.fix && fixInDirectory(error.fix, directory) });
