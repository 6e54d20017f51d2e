import type { Cluster } from '../../cluster/cluster.ts';
import type { RotationLock } from '../../cluster/lease.ts';
import { getObject } from '../../cluster/objects.ts';
import { type Journal, rotationLease } from '../../cluster/rotation-lease.ts';
import { MachineError, RefusedError, UsageError } from '../../errors.ts';
import { anchorsIn } from '../../pki/anchors.ts';
import { caPairIn, removeCaKey } from '../../project/ca-key.ts';
import { whyUnreadable } from '../../project/certificates.ts';
import { discardNext, hasLeftovers, hasNext, promoteNext, refuseMount, writeNext } from '../../project/generations.ts';
import { type CertificatesToWrite, certificateFiles, projectFiles } from '../../project/project.ts';
import { pathsOfSets } from '../../project/sets.ts';
import { requireAccess } from '../permissions.ts';
import { bundleText, isExpired } from '../rotation/bundles.ts';
import { validityFault, whileValid } from '../rotation/clock.ts';
import { decide } from '../rotation/decide.ts';
import { type Expiry, expiryInCluster, requireChecked } from '../rotation/expiry.ts';
import { hasSecret } from '../rotation/live.ts';
import { hasWrittenNothing, requireAgreement, requireSameService, requireWayBack } from '../rotation/preconditions.ts';
import type { RotateRequest, RotateResult } from '../rotation/request.ts';
import { type CertificateSet, certificateSet, kindOf, type Rotation, type RotationKind, serviceOf } from '../rotation/rotation.ts';
import type { Planned } from '../rotation/run.ts';
import { withoutChanges } from '../runner.ts';
import { requireReplicas } from '../service-pods.ts';
import { requireTime } from './lifetime.ts';
import { rotationNeeds } from './needs.ts';
import { requireUsableAuthority, requireUsableKey, restoreOrMove, withKey } from './restore-key.ts';
import { newerSet, type Restored, restoreAuthority, restoreSet, setInSecret } from './restore-set.ts';
import { setInCluster } from './set-in-cluster.ts';
import { readNextSet, readSet } from './sets.ts';
import { stepList } from './step-list.ts';

export type TimedRequest = RotateRequest & Pick<Rotation, 'now' | 'renewLease'>;
type Where = TimedRequest & Pick<Rotation, 'cluster'>;

/**
 * Decides what to do, and checks that it can be done.
 * @returns the steps; the result where there is nothing to do
 * @throws RefusedError where this project cannot do it, or differs from the cluster
 */
export async function prepare(
  cluster: Cluster,
  request: TimedRequest,
  { journal }: Pick<RotationLock, 'journal'>,
): Promise<Planned | RotateResult> {
  const { dir, registration, abort } = request;
  const [onDisk, next] = [readSet(dir, registration, request.key), readNextSet(dir, registration, abort)];
  const where = { ...request, cluster };
  const inSecret = journal && !hasNext(dir) && !abort ? await setInSecret(where) : undefined;
  const decision = decide({ current: onDisk, next, isDamaged: !next && hasNext(dir), journal, inSecret, abort });
  if (decision.action === 'nothing') return { outcome: 'nothing-to-abort', ...unchanged(request, onDisk) };
  const isStart = decision.action === 'start';
  const restored = await findRestored(where, onDisk, isStart);
  const found = restored?.set ?? onDisk ?? inSecret;
  if (!found) throw noCertificate(request, isStart);
  if (isStart) return start(where, found, restored);
  if (decision.action === 'finish') return finished(where, { to: found, restored, journal });
  // A set of this directory that another rotation than the one in the cluster would use.
  const isOther = abort && journal?.newCertificate !== undefined && decision.next?.leaf !== journal.newCertificate;
  const other = isOther ? undefined : decision.next;
  return goOn(where, { current: found, other, isInCluster: other !== undefined && other === inSecret, restored, journal });
}

/** The result of a run that changes nothing. */
const unchanged = ({ kind, abort }: TimedRequest, found: CertificateSet | undefined) =>
  ({ kind, direction: abort ? 'back' : 'forward', steps: [], from: found, to: found }) as const;

/** Finds what certs/ lost, or has only in an older version, in the cluster. */
async function findRestored(where: Where, onDisk: CertificateSet | undefined, isStart: boolean): Promise<Restored | undefined> {
  if (onDisk) return (isStart ? await newerSet(where, onDisk) : undefined) ?? restoreAuthority(where, onDisk);
  const isLost = isStart && hasSecret(where) && whyUnreadable(where.dir, 'certificate', 'current') === undefined;
  return isLost ? restoreSet(where) : undefined;
}

/** The error where certs/tls.crt cannot be used, and nothing else has the certificate. */
function noCertificate(request: TimedRequest, isStart: boolean): UsageError {
  const { certificate } = projectFiles(request.dir);
  const damage = whyUnreadable(request.dir, 'certificate', 'current');
  const isInSecret = damage !== undefined && isStart && hasSecret(request);
  return new UsageError(damage === undefined ? `${certificate} not found` : `${certificate}: ${damage}\nnothing was changed`, {
    fix: isInSecret ? restoreOrMove(certificate, 'to restore it from the Secret') : 'Restore the file from another copy of the project.',
  });
}

/**
 * The result of a run that finds nothing due and nothing in progress: it needs no Lease, because it
 * writes nothing.
 * @returns undefined where `prepare` has to decide
 */
export async function nothingDue(cluster: Cluster, request: TimedRequest, expiry: Expiry): Promise<RotateResult | undefined> {
  const { dir, registration, signal } = request;
  if (expiry.isDue || expiry.notChecked.length > 0 || hasLeftovers(dir)) return undefined;
  // Read after the certificates: a rotation that changed them still has its Lease, or is complete.
  if (await getObject(cluster, rotationLease(serviceOf(request)), signal)) return undefined;
  const where = { ...request, cluster };
  const onDisk = readSet(dir, registration, request.key);
  const restored = await findRestored(where, onDisk, true);
  const found = restored?.set ?? onDisk;
  return found && !lostFiles(restored) ? notDue(where, found, expiry) : undefined;
}

/** Begins a rotation, unless nothing is due. What certs/ lost is restored then too. */
async function start(where: Where, found: CertificateSet, restored: Restored | undefined): Promise<Planned | RotateResult> {
  const { ifExpiresWithin } = where;
  const expiry = ifExpiresWithin === undefined ? undefined : await expiryInCluster(where, ifExpiresWithin);
  if (!expiry || expiry.isDue) return begin(where, found, restored);
  requireChecked(expiry);
  const lost = lostFiles(restored);
  lost?.save();
  return { ...notDue(where, found, expiry), isRestored: lost !== undefined && !where.dryRun };
}

/** What a run restores although nothing is due. */
const lostFiles = (restored: Restored | undefined): Restored | undefined =>
  restored?.replaces || restored?.hasNoFiles ? undefined : restored;

function notDue(where: Where, found: CertificateSet, expiry: Expiry): RotateResult {
  if (!expiry.leaves.includes(found.leaf)) {
    where.onProgress({
      kind: 'note',
      what: `${projectFiles(where.dir).certificate} is a different certificate than the one in the cluster`,
    });
  }
  return { outcome: 'not-due', ...unchanged(where, found), to: expiry.first };
}

/** Refuses what it can before it restores lost files, without which nothing can be issued. */
async function begin(where: Where, found: CertificateSet, restored: Restored | undefined): Promise<Planned> {
  const { dir, dryRun, issue } = where;
  refuseMount(dir);
  requireUsableAuthority(dir);
  requireUsableKey(dir, restored?.replaces ?? found);
  await requireSameService(where);
  await requireReplicas(where);
  if (restored) await requireAgreement(where, found);
  // A newer certificate replaces files, so it waits for the key of the CA.
  if (!restored?.replaces) restored?.save();
  const issued = await issue(found.anchors);
  requireTime(certificateSet(issued.issued), { ...where, isRestored: restored !== undefined && !dryRun });
  if (restored?.replaces) restored.save();
  if (!restored) await requireAgreement(where, found);
  const current = await withKey(where, found, restored?.hasNoFiles);
  return planOf(where, { current, other: certificateSet(issued.issued), neverServed: true }, issued);
}

/** What a rotation replaces, and what by. */
interface Sets {
  readonly current: CertificateSet;
  /** Undefined where only another machine has it. */
  readonly other: CertificateSet | undefined;
  /** The same, as far as the cluster has it. */
  readonly inCluster?: CertificateSet | undefined;
  /** Whether only the Secret has the other set. */
  readonly isInCluster?: boolean;
  readonly restored?: Restored | undefined;
  /** Of the rotation that did not end. */
  readonly journal?: Journal | undefined;
}

interface SetsToPlan extends Sets {
  /** Whether the Secret never had the other set. */
  readonly neverServed: boolean;
}

/** Continues a rotation, or goes back. */
async function goOn(where: Where, { current: found, other, isInCluster, restored, journal }: Sets): Promise<Planned> {
  const { cluster, abort, dir, dryRun, kind: asked, signal, onProgress } = where;
  requireUsableAuthority(dir);
  const kind = other ? kindOf(found, other) : (journal?.kind ?? 'leaf');
  if (asked === 'ca' && kind === 'leaf') throw otherKind();
  if (!abort) {
    // The way back restores the Secret, also where the new certificate is why the pods are stopped.
    await requireReplicas(where);
    requireUsableKey(dir, found);
  }
  if (abort && kind === 'ca') await requireWayBack(where, found);
  // The first check did not know that the CA is replaced.
  if (!dryRun && !abort && kind === 'ca' && asked === 'leaf')
    await requireAccess(cluster, rotationNeeds(cluster, { ...where, kind }), [], signal);
  onProgress({ kind: 'note', what: continuing({ kind, direction: abort ? 'back' : 'forward' }, journal) });
  if (!journal) await requireAgreement(where, found, { set: other, path: pathsOfSets(dir).next });
  restored?.save();
  const inCluster = abort && !other ? await setInCluster(where, journal?.newCertificate) : undefined;
  const current = await withKey(where, found);
  const neverServed = journal ? journal.neverServed === true : other !== undefined && (await hasWrittenNothing(where, found, other));
  const planned = planOf(where, { current, other, inCluster, journal, neverServed }, isInCluster && other ? toWrite(other) : undefined);
  const invalid = abort ? undefined : validityFault(planned.rotation);
  if (invalid) throw invalid;
  return planned;
}

function planOf(where: Where, { current, other, inCluster, journal, neverServed }: SetsToPlan, issued?: CertificatesToWrite): Planned {
  const { dir, abort, now } = where;
  const [files, nextFiles] = [projectFiles(dir), certificateFiles(pathsOfSets(dir).next)];
  const to = abort ? current : other;
  if (!to) throw new Error('a rotation without certificates');
  const from = abort ? (other ?? inCluster) : replacedSet(current, other, journal);
  const rotation: Rotation = {
    ...where,
    // Where both have expired, going back is no worse.
    now: abort && from && hasExpired(from, now()) ? whileValid(current, now) : now,
    kind: other ? kindOf(current, other) : (journal?.kind ?? 'leaf'),
    direction: abort ? 'back' : 'forward',
    from,
    to,
    neverServed: hasSecret(where) && neverServed,
    files: abort ? files : nextFiles,
    caFiles: [files, ...(other ? [nextFiles] : [])].map(({ caCertificate }) => caCertificate),
  };
  const steps = stepList(rotation, {
    isIssued: () => hasNext(dir),
    write: () => issued && orUnchanged(() => writeNext(dir, issued)),
    promote: () => promoteNext(dir),
    discard: () => discardNext(dir),
    read: () => caPairIn(dir, 'next'),
    remove: () => removeCaKey(dir, 'next'),
  });
  return { rotation, steps, started: journal?.started ?? new Date().toISOString() };
}

/**
 * What the new certificate replaces. Where only the Secret has the certificates, as in a pod, that
 * is the new one already, and of the old one the Lease has the fingerprint.
 */
function replacedSet(current: CertificateSet, other: CertificateSet | undefined, journal: Journal | undefined): CertificateSet {
  const leaf = journal?.oldCertificate;
  return leaf !== undefined && current.leaf === other?.leaf ? { ...current, leaf, chain: '', presented: [], key: undefined } : current;
}

/** A full disk ends the rotation before its first write to the cluster. */
function orUnchanged(write: () => void): void {
  try {
    write();
  } catch (error) {
    throw error instanceof MachineError || error instanceof UsageError
      ? withoutChanges(error, 'nothing in the cluster was changed')
      : error;
  }
}

/** The files of a set that only the Secret has. */
const toWrite = ({ chain, key, anchors }: CertificateSet): CertificatesToWrite => ({
  issued: { chain, anchors: anchorsIn(bundleText(anchors), 'current'), ...(key ? { key } : {}) },
});

const hasExpired = ({ presented }: CertificateSet, now: Date): boolean => presented.some((each) => isExpired(each, now));

/** The end of a rotation whose last step ran. Another cluster may have the certificates instead. */
async function finished(
  where: Where,
  { to, restored, journal }: Pick<Sets, 'restored' | 'journal'> & { readonly to: CertificateSet },
): Promise<RotateResult> {
  const kind = journal?.kind ?? 'leaf';
  if (where.kind === 'ca' && kind === 'leaf') throw otherKind();
  where.onProgress({ kind: 'note', what: continuing({ kind, direction: 'forward' }, journal) });
  await requireAgreement(where, to);
  restored?.save();
  return { outcome: 'rotated', kind, direction: 'forward', steps: [], from: undefined, to };
}

const otherKind = (): RefusedError =>
  new RefusedError('a rotation of the serving certificate is in progress, but --ca asks for a new CA', {
    fix: 'Finish it first: apisvc rotate\nOr roll back first: apisvc rotate --abort',
  });

const continuing = (
  { kind, direction }: { kind: RotationKind; direction: Rotation['direction'] },
  journal: Journal | undefined,
): string => {
  const what = kind === 'ca' ? 'the rotation of the CA' : 'the rotation of the serving certificate';
  const since = journal ? ` that started at ${journal.started}` : '';
  return direction === 'back' ? `rolling back ${what}${since}` : `continuing ${what}${since}`;
};
