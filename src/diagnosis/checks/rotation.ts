import type { CertificateInfo } from '../../pki/types.ts';
import { seen } from '../../snapshot/observed.ts';
import type { RotationView } from '../../snapshot/types.ts';
import { type Check, type CheckContext, observation } from './check.ts';

/** A rotation in progress: old and new certificates exist side by side, which is no fault then. */

/** A rotation that nobody runs any more. */
export const checkRotation: Check = (context) => {
  const rotation = rotationOf(context);
  if (!rotation || rotation.running) return [];
  const args = { number: String(rotation.number), steps: String(rotation.steps) };
  return [observation('cert/rotation-interrupted', [rotationFact(rotation)], args)];
};

/**
 * `rotation of the CA in progress: step 4 of 9, "Writing the Secret" (alice@laptop, since …)`
 */
export function rotationFact({ kind, direction, running, number, steps, title, holder, started }: RotationView): string {
  const what = `${direction === 'back' ? 'rollback of the ' : ''}rotation of the ${kind === 'ca' ? 'CA' : 'serving certificate'}`;
  return `${what} ${running ? 'in progress' : 'interrupted'}: step ${number} of ${steps}, "${title}"; started at ${started}, ${running ? 'run' : 'last run'} by ${holder}`;
}

/** The rotation in progress, also an interrupted one. */
export const rotationOf = ({ snapshot }: Pick<CheckContext, 'snapshot'>): RotationView | undefined =>
  seen(snapshot.rotation ?? { state: 'absent' });

/** Whether a rotation replaces this serving certificate, or introduces it. */
export function isRotated(context: CheckContext, { fingerprint }: CertificateInfo): boolean {
  const { oldCertificate, newCertificate } = rotationOf(context) ?? {};
  return fingerprint === oldCertificate || fingerprint === newCertificate;
}

/** Whether the caBundle may have other CAs than the project, and CAs that nothing serves by. */
export const isCaRotated = (context: CheckContext): boolean => rotationOf(context)?.kind === 'ca';
