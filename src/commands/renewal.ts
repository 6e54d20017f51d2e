import { RefusedError, UsageError } from '../errors.ts';
import { planRenewal, renew } from '../operations/renew.ts';
import type { RotateFlags, Way } from './rotate-flags.ts';

/**
 * cert-manager has the keys, and writes what it issues.
 * @throws UsageError with all flags that have no meaning then; RefusedError for a new CA
 */
export function renewal(flags: RotateFlags): Way {
  const { abort, keys, caCert, caKey, forceConflicts, dryRun } = flags;
  const given = { abort, keys, 'ca-cert': caCert, 'ca-key': caKey, 'force-conflicts': forceConflicts };
  const vain = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`]));
  if (vain.length > 0) {
    throw new UsageError(
      `${vain.join(', ')} cannot be used with the issuer type "cert-manager": cert-manager has the keys, and replaces the old certificate`,
      { fix: `Remove ${vain.join(', ')}.` },
    );
  }
  if (flags.ca) {
    throw new RefusedError('apisvc does not rotate this CA: cert-manager renews it', {
      fix: 'Renew the Certificate of the CA with cmctl, let kube-apiserver trust both CAs, and then run: apisvc rotate',
    });
  }
  return { kind: 'leaf', run: dryRun ? planRenewal : renew };
}
