import { type Clock, clockToleranceMs } from '../../cluster/clock.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { RefusedError } from '../../errors.ts';
import { timeText } from '../../pki/time-text.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { isExpired } from './bundles.ts';
import type { Rotation } from './rotation.ts';

const text = (time: Date): string => timeText(time.toISOString());

/**
 * Certificates start a few minutes before they are issued (pki/clock-skew.ts), by the local clock.
 * @throws RefusedError where the local clock differs too much from that of kube-apiserver
 */
export function requireSameTime({ server, context }: Cluster, { aheadMs, now }: Clock): void {
  if (Math.abs(aheadMs) <= clockToleranceMs) return;
  const there = now();
  const here = new Date(there.getTime() - aheadMs);
  throw new RefusedError(
    `the clock of this machine shows ${text(here)}, but the clock of kube-apiserver shows ${text(there)} (${server}, context "${context}")\na certificate issued on this machine may not be valid in the cluster\nnothing was changed`,
    { fix: 'Synchronize the wrong clock with a time server, for example: timedatectl set-ntp true' },
  );
}

/**
 * The time, but no later than the end of a certificate: going back restores what was served before,
 * also if it expired meanwhile.
 */
export const whileValid =
  ({ presented }: Pick<Rotation['to'], 'presented'>, now: Rotation['now']): Rotation['now'] =>
  () =>
    new Date(Math.min(now().getTime(), ...presented.map(({ notAfter }) => Date.parse(notAfter))));

/** Why kube-apiserver would refuse the certificate by its time; undefined where it would not. */
export function validityFault({ to, direction, now }: Pick<Rotation, 'to' | 'direction' | 'now'>): RefusedError | undefined {
  const time = now();
  const isEarly = ({ notBefore }: CertificateInfo): boolean => Date.parse(notBefore) > time.getTime();
  const outdated = to.presented.find((each) => isEarly(each) || isExpired(each, time));
  if (!outdated) return undefined;
  const why = isEarly(outdated) ? `is not valid before ${timeText(outdated.notBefore)}` : `expired on ${timeText(outdated.notAfter)}`;
  const [which, fix] =
    direction === 'forward'
      ? ['new', 'Roll back: apisvc rotate --abort\nThen issue another certificate: apisvc rotate']
      : ['old', 'Finish the rotation instead: apisvc rotate'];
  return new RefusedError(`the ${which} certificate ${why}, and the clock of kube-apiserver shows ${text(time)}`, { fix });
}
