import type { Registration } from '../config/schema.ts';
import type { IssuerType } from '../config/schema-certificates.ts';
import { ca } from './ca.ts';
import type { IssueRequest, Issuer, NewCertificates } from './issuer.ts';
import { selfSigned } from './self-signed.ts';

const issuers: { readonly [Type in IssuerType]: Issuer<Type> } = { 'self-signed': selfSigned, ca };

/**
 * Makes the certificates that a registration asks for, by the issuer that it names.
 * @throws UsageError when the settings or the CA do not allow them
 */
export function issueCertificates(registration: Registration, request: Omit<IssueRequest, 'registration'>): Promise<NewCertificates> {
  const settings = registration.spec.certificates.issuer;
  // The settings belong to the issuer of the same type, which TypeScript cannot follow through the
  // table.
  const issuer = issuers[settings.type] as Issuer<IssuerType>;
  return issuer.issue(settings, { ...request, registration });
}
