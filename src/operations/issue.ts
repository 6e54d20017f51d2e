import { parseDuration } from '../config/duration.ts';
import { servingNames } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { UsageError } from '../errors.ts';
import { createAuthority } from '../pki/authority.ts';
import { issueServing } from '../pki/leaf.ts';
import type { Authority, Leaf, ServingNames } from '../pki/types.ts';

export interface Issued {
  readonly authority: Authority;
  readonly leaf: Leaf;
}

const milliseconds = (text: string): number => parseDuration(text) ?? 0;

/**
 * Makes the serving certificate that a registration asks for, and the CA unless one is given.
 * @throws UsageError when the registration is to have a given CA and there is none, or when the CA does not allow the certificate
 */
export async function issueCertificates(registration: Registration, given: Authority | undefined, now: Date): Promise<Issued> {
  const { issuer, keyType, lifetime } = registration.spec.certificates;
  if (!given && issuer === 'ca')
    throw new UsageError('the issuer is "ca", but no CA is given', { fix: 'Add --ca-cert FILE --ca-key FILE.' });
  const names = servingNames(registration);
  // Not awaited: the keys of both are made at once.
  const made = given ?? newAuthority(registration, names, now);
  const [authority, leaf] = await Promise.all([
    made,
    issueServing({ authority: made, names, keyType, lifetimeMs: milliseconds(lifetime), now }),
  ]);
  return { authority, leaf };
}

function newAuthority({ spec }: Registration, names: ServingNames, now: Date): Promise<Authority> {
  const { keyType, lifetime, caLifetime, nameConstraints } = spec.certificates;
  if (milliseconds(lifetime) > milliseconds(caLifetime)) {
    throw new UsageError(`the certificate would outlive its CA: lifetime ${lifetime} is longer than caLifetime ${caLifetime}`, {
      fix: 'Change --lifetime or --ca-lifetime.',
    });
  }
  const constraint = nameConstraints ? { constrainTo: names } : {};
  return createAuthority({ commonName: `${names.dns[0]} CA`, keyType, lifetimeMs: milliseconds(caLifetime), ...constraint, now });
}
