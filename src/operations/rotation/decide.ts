import type { Journal } from '../../cluster/rotation-lease.ts';
import { RefusedError } from '../../errors.ts';
import type { CertificateSet, RotationKind } from './rotation.ts';

/** What is known at the start of a command. */
export interface Beginning {
  /** certs/ */
  readonly current: CertificateSet | undefined;
  /** certs/next/ */
  readonly next: CertificateSet | undefined;
  /** Whether certs/next/ exists, but is not complete. */
  readonly isDamaged?: boolean;
  /** Of a rotation in the cluster that did not end. */
  readonly journal: Journal | undefined;
  /** The certificate in the Secret, where its CA is in a Secret too. */
  readonly inSecret?: CertificateSet | undefined;
  readonly abort: boolean;
}

/** What the command does. */
export type Decision =
  | { readonly action: 'start' }
  | { readonly action: 'continue'; readonly next: CertificateSet }
  /** Only the end of a rotation is missing: everything in the cluster is done. */
  | { readonly action: 'finish' }
  /** Back to the set in certs/. `next` is undefined where this project does not have it. */
  | { readonly action: 'back'; readonly next: CertificateSet | undefined }
  | { readonly action: 'nothing' };

/**
 * Decides how to go on by what is on disk and in the cluster.
 * @throws RefusedError where this project cannot continue the rotation
 */
export function decide({ current, next, isDamaged = false, journal, inSecret, abort }: Beginning): Decision {
  if (next) {
    if (abort && journal && current && journal.oldCertificate !== current.leaf) throw otherFiles(journal);
    if (journal && journal.newCertificate !== next.leaf && !abort) throw otherMachine(journal);
    return abort ? { action: 'back', next } : { action: 'continue', next };
  }
  if (!journal && abort && isDamaged) return { action: 'back', next: undefined };
  if (!journal) return { action: abort ? 'nothing' : 'start' };
  if (current && journal.newCertificate === current.leaf) {
    if (abort) throw complete(journal.kind);
    return { action: 'finish' };
  }
  // The CA stays, and the cluster has all keys: no file of the first run is needed.
  if (!abort && inSecret && journal.kind === 'leaf') {
    if (journal.newCertificate === inSecret.leaf) {
      if (journal.direction === 'back') throw goingBack(journal);
      return { action: 'continue', next: inSecret };
    }
    if (journal.oldCertificate === inSecret.leaf) return { action: 'start' };
  }
  if (!current || journal.oldCertificate !== current.leaf) throw otherFiles(journal);
  if (abort) return { action: 'back', next: undefined };
  // The last step of the way back removes certs/next.
  if (journal.direction === 'back' && journal.step === 'discard') return { action: 'start' };
  throw otherMachine(journal);
}

const began = ({ started, holder, number, steps, title }: Journal): string =>
  `the rotation that started at ${started}, last run by ${holder}, is not complete (step ${number} of ${steps}: ${title})`;

/** DIR keeps the commands from getting the directory of this project. */
const finish = 'Finish the rotation in the project directory where it was started: apisvc rotate -C DIR';

const otherMachine = (journal: Journal): RefusedError =>
  new RefusedError(`${began(journal)}; its new private key is not in this project`, {
    // A copy of the project has the old certificates, but not certs/next.
    fix: `${finish}\nOr roll back in this directory: apisvc rotate --abort`,
  });

/** Whoever has the files may still choose otherwise. */
const goingBack = (journal: Journal): RefusedError =>
  new RefusedError(`${began(journal)}; it is being rolled back`, {
    fix: 'Finish the rollback in a copy of the project that has the old certificate: apisvc rotate --abort -C DIR',
  });

const otherFiles = (journal: Journal): RefusedError =>
  new RefusedError(`${began(journal)}; certs/ does not have the certificate that it replaces`, {
    fix: `${finish}\nOr roll back in that directory: apisvc rotate --abort -C DIR`,
  });

/**
 * The error for the way back from a rotation whose old CA lost its trust, or whose files are gone.
 */
export const complete = (kind: RotationKind): RefusedError =>
  new RefusedError(`the rotation cannot be rolled back: ${gone[kind]}`, {
    fix: `Finish the rotation: apisvc rotate\nIf the new certificate must not be used, then rotate again: apisvc rotate${kind === 'ca' ? ' --ca' : ''}`,
  });

const gone: Readonly<Record<RotationKind, string>> = {
  ca: 'the old CA is no longer in any caBundle',
  leaf: 'certs/ has the new certificate, and the old one was deleted',
};
