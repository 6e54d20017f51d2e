import { mayI } from '../cluster/access.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { wasRefused } from '../cluster/faults.ts';
import { acquireRotationLease, leaseNeeds, NoNamespace, type RotationLock } from '../cluster/lease.ts';
import { type Holder, rotationLease } from '../cluster/rotation-lease.ts';
import { ApisvcError, RefusedError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import { noteLeaseWait } from './rotation/lease-wait.ts';
import { incomplete, inProject, lookForRotation, type RotationCheck } from './rotation-in-progress.ts';
import { withoutChanges } from './runner.ts';

/** Whether a rotation writes such an object too: the Secret, or an APIService with its caBundle. */
export const isRotated = ({ kind }: Pick<KubeObject, 'kind'>): boolean => kind === 'Secret' || kind === 'APIService';

/** @throws RefusedError where another process writes now: the object must not be written */
export type BeforeWrite = () => Promise<void>;

/** What a run that writes gets. */
export interface WriteLock {
  /** Aborted also when another process takes the Lease over. */
  readonly signal: AbortSignal;
  readonly beforeWrite: BeforeWrite;
  /** Whether this process holds the Lease. */
  readonly isHeld: boolean;
}

interface WriteRequest extends RotationCheck {
  /** `<namespace>/<name>` of the project. */
  readonly project: string;
  readonly holder: Holder;
  /** Whether the run changes what a rotation may be writing. */
  readonly isContended: boolean;
  /**
   * Looks again at what was read before the Lease was held.
   * @throws RefusedError where it changed
   */
  readonly recheck?: () => Promise<void>;
  /** Whether the run also ends a rotation that was interrupted. Otherwise it is refused. */
  readonly endsRotation?: boolean;
  /** The APIServices, for a user who names them and has no project directory. */
  readonly apiServices?: readonly string[];
  /** The Lease of that rotation, as `awaitSilence` returned it. */
  readonly silent?: KubeObject | undefined;
}

/**
 * Runs work that writes the Secret and the caBundle of a Service. It holds the Lease of a rotation
 * meanwhile, so that no rotation and no other such run starts. The Lease is deleted at the end,
 * also after an error or Ctrl-C. Where nothing can be rotated yet, and without the permissions on
 * the Lease, it looks for a rotation just before each write.
 * @throws RefusedError when another process holds the Lease, with its name, or when a rotation is
 * not complete; nothing was changed then, nor where `recheck` throws; what the work throws
 */
export async function excludeRotations<T>(cluster: Cluster, request: WriteRequest, work: (lock: WriteLock) => Promise<T>): Promise<T> {
  const { signal, recheck = async () => {}, endsRotation = false } = request;
  const lock = request.isContended && (await mayHoldLease(cluster, request)) ? await acquire(cluster, request) : undefined;
  if (!lock) {
    const beforeWrite = async (): Promise<void> => {
      // The checks before have told already that the Lease cannot be read.
      await lookForRotation(cluster, { ...request, onProgress: () => {} });
      await recheck();
    };
    return work({ signal, beforeWrite, isHeld: false });
  }
  try {
    if (lock.journal && !endsRotation) throw withoutChanges(incomplete(request, lock.journal, false));
    await recheck().catch((error) => {
      throw error instanceof ApisvcError ? withoutChanges(error) : error;
    });
    const result = await work({ signal: lock.signal, beforeWrite: lock.renew, isHeld: true }).catch((error) => {
      throw lock.lost.aborted ? lock.lost.reason : error;
    });
    if (endsRotation) await lock.release();
    return result;
  } finally {
    await lock.stop();
  }
}

/** Least privilege is enough to register. Only a note is left. */
async function mayHoldLease(cluster: Cluster, request: WriteRequest): Promise<boolean> {
  const { service, signal } = request;
  const needs = leaseNeeds(service);
  const allowed = await Promise.all(needs.map(({ verb, ref }) => mayI(cluster, verb, ref, signal)));
  const missing = needs.filter((_, index) => !allowed[index]).map(({ verb }) => verb);
  // Without `get`, a note says already that nothing is checked.
  if (missing.length > 0 && !missing.includes('get')) noteLooking(request, `not allowed to ${missing.join(', ')}`);
  return missing.length === 0;
}

/**
 * @param failed the clause before the Lease, such as `failed to acquire`
 * @param why the reason, if the cluster gave one
 */
function noteLooking({ service, onProgress }: WriteRequest, failed: string, why?: string): void {
  const { namespace, name } = rotationLease(service);
  const reason = why === undefined ? '' : ` (${why})`;
  onProgress({ kind: 'note', what: `${failed} Lease ${namespace}/${name}${reason}; checking for a rotation before each write instead` });
}

/**
 * @returns undefined where the namespace does not exist, so that nothing in it is rotated, and
 * where the cluster refuses the Lease: kube-aggregator alone does not serve Leases
 */
async function acquire(cluster: Cluster, request: WriteRequest): Promise<RotationLock | undefined> {
  const { directory } = request;
  try {
    return await acquireRotationLease(cluster, { ...request, onWait: noteLeaseWait(request) });
  } catch (error) {
    if (error instanceof NoNamespace) return undefined;
    if (wasRefused(error)) {
      noteLooking(request, 'failed to acquire', error.message);
      return undefined;
    }
    throw error instanceof RefusedError ? withoutChanges(inProject(error, directory)) : error;
  }
}
