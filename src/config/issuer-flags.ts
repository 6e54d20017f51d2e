import type { IssuerType } from './schema-certificates.ts';

interface IssuerFlags {
  /** The flag of `apisvc init` that selects the issuer. Without it, the preset decides. */
  readonly selectedBy: 'caCert' | undefined;
  /** The flags that `init` and `rotate` need for new certificates. The first is `selectedBy`. */
  readonly needed: string;
  /** Whether the project keeps the private key of the CA, so that `rotate` can sign with it. */
  readonly keepsCaKey: boolean;
}

const without: IssuerFlags = { selectedBy: undefined, needed: '', keepsCaKey: false };

/** How `apisvc init` gets what an issuer needs and apisvc.yaml does not contain. */
export const issuerFlags: Readonly<Record<IssuerType, IssuerFlags>> = {
  'self-signed': { selectedBy: undefined, needed: '', keepsCaKey: true },
  ca: { selectedBy: 'caCert', needed: '--ca-cert FILE --ca-key FILE', keepsCaKey: false },
  'existing-secret': without,
  'cert-manager': without,
  csr: without,
  'openshift-service-ca': without,
  insecure: without,
};
