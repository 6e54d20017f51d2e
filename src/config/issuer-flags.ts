import type { IssuerType } from './schema-certificates.ts';

interface IssuerFlags {
  /** The flag of `apisvc init` that selects the issuer, besides --issuer. */
  readonly selectedBy: 'caCert' | undefined;
  /** The flags that `init` and `rotate` need for new certificates. The first is `selectedBy`. */
  readonly needed: string;
  /** Whether the project keeps the private key of the CA, so that `rotate` can sign with it. */
  readonly keepsCaKey: boolean;
  /** Whether `register` gets a new certificate where certs/ has none. */
  readonly requested?: boolean;
}

const without: IssuerFlags = { selectedBy: undefined, needed: '', keepsCaKey: false };

/** How `apisvc init` gets what an issuer needs and apisvc.yaml does not contain. */
export const issuerFlags: Readonly<Record<IssuerType, IssuerFlags>> = {
  'self-signed': { selectedBy: undefined, needed: '', keepsCaKey: true },
  ca: { selectedBy: 'caCert', needed: '--ca-cert FILE --ca-key FILE', keepsCaKey: false },
  'existing-secret': without,
  'cert-manager': without,
  csr: { ...without, requested: true },
  'openshift-service-ca': without,
  insecure: without,
};

/** The values of `spec.certificates.issuer.type`, for `--help` too, which loads no schema. */
export const issuerTypes = Object.keys(issuerFlags) as readonly IssuerType[];

interface IssuerSetting {
  readonly flag: string;
  /** Below spec.certificates.issuer. */
  readonly path: readonly string[];
  readonly types: readonly IssuerType[];
}

/** The flags of `apisvc init` that set a field of spec.certificates.issuer. */
export const issuerSettings = {
  caLifetime: { flag: '--ca-lifetime', path: ['caLifetime'], types: ['self-signed'] },
  caKeyIn: { flag: '--ca-key-in', path: ['caKey'], types: ['self-signed'] },
  issuerRef: { flag: '--issuer-ref', path: ['issuerRef', 'name'], types: ['cert-manager'] },
  issuerKind: { flag: '--issuer-kind', path: ['issuerRef', 'kind'], types: ['cert-manager'] },
  signer: { flag: '--signer', path: ['signerName'], types: ['csr'] },
  caBundle: { flag: '--ca-bundle', path: ['caBundleFile'], types: ['existing-secret', 'csr'] },
  clusterTrustBundle: { flag: '--cluster-trust-bundle', path: ['clusterTrustBundle'], types: ['csr'] },
} as const satisfies Readonly<Record<string, IssuerSetting>>;

export type IssuerSettingKey = keyof typeof issuerSettings;

export const issuerSettingKeys = Object.keys(issuerSettings) as readonly IssuerSettingKey[];
