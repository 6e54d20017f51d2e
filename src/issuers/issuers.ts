import type { Registration } from '../config/schema.ts';
import type { IssuerType } from '../config/schema-certificates.ts';
import { UsageError } from '../errors.ts';
import { ca } from './ca.ts';
import { certManager } from './cert-manager.ts';
import { csr } from './csr.ts';
import { existingSecret } from './existing-secret.ts';
import { insecure } from './insecure.ts';
import type { IssueRequest, Issuer, NewCertificates } from './issuer.ts';
import { openshiftServiceCa } from './openshift-service-ca.ts';
import { selfSigned } from './self-signed.ts';

const issuers: { readonly [Type in IssuerType]: Issuer<Type> } = {
  'self-signed': selfSigned,
  ca,
  'existing-secret': existingSecret,
  'cert-manager': certManager,
  csr,
  'openshift-service-ca': openshiftServiceCa,
  insecure,
};

/** The issuer that a registration names. */
export const issuerOf = ({ spec }: Pick<Registration, 'spec'>): Issuer<IssuerType> =>
  // The settings belong to the issuer of the same type, which TypeScript cannot follow through the
  // table.
  issuers[spec.certificates.issuer.type] as Issuer<IssuerType>;

/**
 * Makes the certificates that a registration asks for, by the issuer that it names.
 * @throws UsageError when the settings or the CA do not allow them, or when others make them
 */
export async function issueCertificates(registration: Registration, request: Omit<IssueRequest, 'registration'>): Promise<NewCertificates> {
  const settings = registration.spec.certificates.issuer;
  const issuer = issuerOf(registration);
  if (!issuer.issue) throw new UsageError(`apisvc does not issue certificates with the issuer type "${settings.type}"`);
  return issuer.issue(settings, { ...request, registration });
}
