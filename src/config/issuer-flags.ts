import type { IssuerType } from './schema-certificates.ts';

interface IssuerFlags {
  /** The flag of `apisvc init` that selects the issuer. Without it, the preset decides. */
  readonly selectedBy: 'caCert' | undefined;
  /** The flags that `apisvc init` needs for new certificates. The first is `selectedBy`. */
  readonly needed: string;
}

/** How `apisvc init` gets what an issuer needs and apisvc.yaml does not contain. */
export const issuerFlags: Readonly<Record<IssuerType, IssuerFlags>> = {
  'self-signed': { selectedBy: undefined, needed: '' },
  ca: { selectedBy: 'caCert', needed: '--ca-cert FILE --ca-key FILE' },
};
