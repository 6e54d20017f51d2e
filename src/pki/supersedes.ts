import { type ServingCheck, wouldAccept } from './trust.ts';
import type { CertificateInfo } from './types.ts';

/**
 * Whether a certificate replaced another one of the same server: its clients trust it, and it was
 * issued later. One that has expired since replaced the other one too. `notBefore` tells the order
 * of issue (RFC 5280 4.1.2.5).
 * @param own the certificate that it may have replaced
 */
export function supersedes({ now, ...check }: ServingCheck, own: CertificateInfo): boolean {
  const [leaf] = check.presented;
  if (!leaf || leaf.fingerprint === own.fingerprint || Date.parse(leaf.notBefore) <= Date.parse(own.notBefore)) return false;
  const end = Math.min(now.getTime(), ...check.presented.map(({ notAfter }) => Date.parse(notAfter)));
  return wouldAccept({ ...check, now: new Date(end) });
}
