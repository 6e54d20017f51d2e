import type { PrivateKey } from './private-key.ts';

/** The key types that apisvc generates. Every Kubernetes version supports them. */
export const keyTypes = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'] as const;
export type KeyType = (typeof keyTypes)[number];

/** A certificate authority that can sign. */
export interface Authority {
  /** PEM, LF line ends: the signing CA, followed by the CAs above it when it is an intermediate. */
  readonly certificates: string;
  readonly key: PrivateKey;
}

/** A serving certificate with its key. */
export interface Leaf {
  /**
   * PEM, LF line ends: the leaf, then every CA between it and the trust anchor, without the anchor.
   */
  readonly certificates: string;
  readonly key: PrivateKey;
}

/**
 * A CA certificate that clients trust, and why: it signed the certificate in use, or signs the next
 * one, or signed the previous one, which some endpoint may still serve.
 */
export interface Anchor {
  /** One certificate, PEM, LF line ends. */
  readonly pem: string;
  readonly role: 'current' | 'next' | 'previous';
}

/**
 * The certificates of a registration. Keys are wrapped so that they are never printed by accident.
 */
export interface Issued {
  /** PEM for `tls.crt`: the leaf, then its intermediates. */
  readonly chain: string;
  /** Absent where the private key is not needed: `render --secrets omit`. */
  readonly key?: PrivateKey;
  /** The CA certificates for the caBundle. */
  readonly anchors: readonly Anchor[];
}

/** The names of a serving certificate. */
export interface ServingNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

/** The content of a certificate. Plain, serializable data. */
export interface CertificateInfo {
  /** RFC 4514 style, most specific part first, e.g. `CN=api.wardle.svc`. */
  readonly subject: string;
  readonly commonName: string | undefined;
  readonly issuer: string;
  /** Hexadecimal, upper case, no colons. */
  readonly serial: string;
  /** ISO 8601, UTC. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** basicConstraints cA; undefined when the extension is absent. */
  readonly isCA: boolean | undefined;
  readonly pathLength: number | undefined;
  /**
   * Names of RFC 5280 4.2.1.3 (`digitalSignature`, `keyCertSign`, ...); undefined when the
   * extension is absent.
   */
  readonly keyUsage: readonly string[] | undefined;
  /**
   * Dotted OIDs, with `serverAuth`, `clientAuth` and `any` by name; undefined when the extension is
   * absent.
   */
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** Hexadecimal, upper case. */
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
  /** RFC 5280 4.2.1.10; undefined when the extension is absent. */
  readonly nameConstraints:
    | {
        readonly permittedDns: readonly string[];
        readonly excludedDns: readonly string[];
        readonly permittedIp: readonly string[];
        readonly excludedIp: readonly string[];
      }
    | undefined;
  /** e.g. `ecdsa-p256`, `rsa-2048`, `ed25519`. */
  readonly publicKey: string;
  /** e.g. `ecdsa-with-SHA256`, `sha256WithRSAEncryption`; the dotted OID when unknown. */
  readonly signatureAlgorithm: string;
  /** SHA-256 over the DER, `AB:CD:...`, as openssl prints it. */
  readonly fingerprint: string;
  /** Whether issuer and subject are the same name and its own key verifies the signature. */
  readonly selfSigned: boolean;
  /** The certificate itself, PEM, LF line ends. */
  readonly pem: string;
}

/** One item of a PEM text. `line` counts from 1. */
export type PemItem =
  | { readonly kind: 'certificate'; readonly line: number; readonly certificate: CertificateInfo }
  | { readonly kind: 'private-key'; readonly line: number; readonly encrypted: boolean; readonly label: string }
  | { readonly kind: 'other'; readonly line: number; readonly label: string }
  | { readonly kind: 'broken'; readonly line: number; readonly label: string; readonly reason: string; readonly encoding?: Encoding };

/** An encoding of a certificate that is not PEM. */
export type Encoding = 'der' | 'base64-of-pem';

/** The content of a text as `inspect` finds it, in order. */
export interface Inspection {
  readonly items: readonly PemItem[];
  readonly certificates: readonly CertificateInfo[];
}
