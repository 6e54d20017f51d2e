import { type Party, responsibilities } from '../config/responsibilities.ts';
import type { IssuerType } from '../config/schema-certificates.ts';

/** Who makes the key, and who writes the Secret and the caBundle. */
export interface StatusIssuer {
  readonly type: IssuerType;
  readonly key: Party;
  readonly secret: Party;
  readonly caBundle: Party;
}

/** Who does what for the certificate of an issuer type. */
export function ownersOf(type: IssuerType): StatusIssuer {
  const { key, secret, caBundle } = responsibilities[type];
  return { type, key, secret, caBundle };
}
