import type { Registration } from '../config/schema.ts';
import { RefusedError, UsageError } from '../errors.ts';
import { isOwnCa } from '../operations/renew/signer.ts';
import { planRenewal, renew } from '../operations/renew.ts';
import type { RotateFlags, Way } from './rotate-flags.ts';

/**
 * cert-manager has the keys, and writes what it issues.
 * @throws UsageError with all flags that have no meaning then; RefusedError for a new CA
 */
export function renewal(flags: RotateFlags, registration: Registration): Way {
  const { abort, keys, caCert, caKey, forceConflicts, dryRun } = flags;
  const given = { abort, keys, 'ca-cert': caCert, 'ca-key': caKey, 'force-conflicts': forceConflicts };
  const vain = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`]));
  if (vain.length > 0) {
    throw new UsageError(
      `${vain.join(', ')} cannot be used with the issuer type "cert-manager": cert-manager manages the private keys, and replaces the certificate`,
      { fix: `Remove ${vain.join(', ')}.` },
    );
  }
  if (flags.ca && !isOwnCa(registration)) {
    throw new RefusedError('apisvc does not rotate this CA: the issuer in spec.certificates.issuer.issuerRef is not managed by apisvc', {
      fix: 'Renew the CA with the tool that manages it. Then renew the serving certificate, during which the old and the new CA are trusted: apisvc rotate',
    });
  }
  return { kind: flags.ca ? 'ca' : 'leaf', run: dryRun ? planRenewal : renew };
}
