import { servingNames } from '../config/registration.ts';
import { createAuthority } from '../pki/authority.ts';
import { type Issuer, issueFrom, milliseconds } from './issuer.ts';

/**
 * A CA for this server only, whose key stays in the project: certs/ca.key. When that CA is given,
 * it signs the new certificate, and no other CA is made.
 */
export const selfSigned: Issuer<'self-signed'> = {
  async issue({ caLifetime, nameConstraints }, request) {
    const { registration, now } = request;
    if (request.given) return { issued: await issueFrom(request.given, request), caKey: request.given.key };
    const { keyType } = registration.spec.certificates;
    const names = servingNames(registration);
    const authority = createAuthority({
      commonName: `${names.dns[0]} CA`,
      keyType,
      lifetimeMs: milliseconds(caLifetime),
      ...(nameConstraints ? { constrainTo: names } : {}),
      now,
    });
    const issued = await issueFrom(authority, request);
    return { issued, caKey: (await authority).key };
  },
};
