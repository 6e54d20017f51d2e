import { type Chain, chainsToRoots, type MissingIssuer } from './chains.ts';
import { matchesHostname } from './hostname.ts';
import { namesOutside } from './name-constraints.ts';
import type { CertificateInfo } from './types.ts';

export type Role = 'leaf' | 'intermediate' | 'root';

/**
 * A reason why kube-apiserver would reject the certificates of a server. `certificate` is the one
 * at fault.
 */
export type ServingFault =
  | { readonly kind: 'expired'; readonly role: Role; readonly certificate: CertificateInfo }
  | { readonly kind: 'not-yet-valid'; readonly role: Role; readonly certificate: CertificateInfo }
  | { readonly kind: 'name-mismatch'; readonly certificate: CertificateInfo; readonly hostname: string; readonly names: readonly string[] }
  | { readonly kind: 'common-name-only'; readonly certificate: CertificateInfo; readonly hostname: string; readonly commonName: string }
  /**
   * extendedKeyUsage exists without serverAuth (for a client clientAuth) and without any. That of a
   * CA limits the certificates below it.
   */
  | { readonly kind: 'usage'; readonly role: Role; readonly certificate: CertificateInfo; readonly usages: readonly string[] }
  /** `certificate` is the last one of the chain, whose issuer is missing. */
  | ({ readonly kind: 'unknown-authority'; readonly certificate: CertificateInfo } & MissingIssuer)
  | { readonly kind: 'weak-signature'; readonly role: Role; readonly certificate: CertificateInfo; readonly algorithm: string }
  /** RSA below 2048 bits; `refused`: below the 1024 that Go accepts (crypto/rsa). */
  | {
      readonly kind: 'weak-key';
      readonly role: Role;
      readonly certificate: CertificateInfo;
      readonly bits: number;
      readonly refused: boolean;
    }
  | { readonly kind: 'name-constraints'; readonly certificate: CertificateInfo; readonly names: readonly string[] }
  | { readonly kind: 'path-length'; readonly certificate: CertificateInfo; readonly limit: number; readonly below: number };

export interface ServingCheck {
  /** As the server sends them, the leaf first. */
  readonly presented: readonly CertificateInfo[];
  /** The certificates of the caBundle. Each is an anchor, even if it is not a root. */
  readonly roots: readonly CertificateInfo[];
  /** The server name; for kube-apiserver `<service>.<namespace>.svc`. */
  readonly hostname: string;
  readonly now: Date;
}

/**
 * Verifies a server's certificates as kube-apiserver does with Go's crypto/tls
 * (crypto/x509/verify.go), except that Go stops at the first fault. Of several chains, the one with
 * the fewest faults counts.
 * @returns every fault, the leaf's first; empty when the handshake would succeed
 */
export function checkServing({ presented, roots, hostname, now }: ServingCheck): ServingFault[] {
  const [leaf] = presented;
  if (!leaf) return [];
  return [...nameFaults(leaf, hostname), ...bestChainFaults(leaf, { presented, roots, now }, 'serverAuth')];
}

/** Whether the handshake would succeed. It accepts a key that is weak but long enough for Go. */
export const wouldAccept = (check: ServingCheck): boolean => check.presented.length > 0 && checkServing(check).every(isTolerable);

/**
 * Whether a server built on k8s.io/apiserver accepts a client certificate (its
 * pkg/authentication/request/x509, DefaultVerifyOptions).
 */
export function wouldAcceptClient(check: Omit<ServingCheck, 'hostname'>): boolean {
  const [leaf] = check.presented;
  return leaf !== undefined && bestChainFaults(leaf, check, 'clientAuth').every(isTolerable);
}

const isTolerable = (fault: ServingFault): boolean => fault.kind === 'weak-key' && !fault.refused;

type KeyUse = 'serverAuth' | 'clientAuth';

function bestChainFaults(leaf: CertificateInfo, { presented, roots, now }: Omit<ServingCheck, 'hostname'>, use: KeyUse): ServingFault[] {
  const chains = chainsToRoots(leaf, presented.slice(1), roots).map((chain) => chainFaults(chain, now, use));
  return chains.reduce((one, other) => (other.length < one.length ? other : one));
}

function nameFaults(certificate: CertificateInfo, hostname: string): ServingFault[] {
  if (matchesHostname(certificate, hostname)) return [];
  const names = [...certificate.dnsNames, ...certificate.ipAddresses];
  const { commonName } = certificate;
  return names.length === 0 && commonName !== undefined
    ? [{ kind: 'common-name-only', certificate, hostname, commonName }]
    : [{ kind: 'name-mismatch', certificate, hostname, names }];
}

function chainFaults({ certificates, missing }: Chain, now: Date, use: KeyUse): ServingFault[] {
  const last = certificates.length - 1;
  const faults = certificates.flatMap((certificate, index) => {
    const isAnchor = !missing && index === last;
    const role = index === 0 ? 'leaf' : isAnchor ? 'root' : 'intermediate';
    return [
      ...dateFaults(certificate, role, now),
      ...usageFaults(certificate, role, use),
      ...(isAnchor ? [] : signatureFaults(certificate, role)),
      ...keyFaults(certificate, role),
      ...(index === 0 ? [] : authorityFaults(certificate, certificates.slice(0, index))),
    ];
  });
  const end = certificates[last];
  return missing && end ? [{ kind: 'unknown-authority', certificate: end, ...missing }, ...faults] : faults;
}

function dateFaults(certificate: CertificateInfo, role: Role, now: Date): ServingFault[] {
  if (now.getTime() > Date.parse(certificate.notAfter)) return [{ kind: 'expired', role, certificate }];
  return now.getTime() < Date.parse(certificate.notBefore) ? [{ kind: 'not-yet-valid', role, certificate }] : [];
}

function usageFaults(certificate: CertificateInfo, role: Role, use: KeyUse): ServingFault[] {
  const usages = certificate.extendedKeyUsage ?? ['any'];
  return usages.includes(use) || usages.includes('any') ? [] : [{ kind: 'usage', role, certificate, usages }];
}

/** Go rejects SHA-1 and older algorithms (crypto/x509 checkSignature). */
function signatureFaults(certificate: CertificateInfo, role: Role): ServingFault[] {
  const algorithm = certificate.signatureAlgorithm;
  return /sha1|md[25]/i.test(algorithm) ? [{ kind: 'weak-signature', role, certificate, algorithm }] : [];
}

function keyFaults(certificate: CertificateInfo, role: Role): ServingFault[] {
  const bits = Number(/^rsa-(\d+)$/.exec(certificate.publicKey)?.[1] ?? Infinity);
  return bits < 2048 ? [{ kind: 'weak-key', role, certificate, bits, refused: bits < 1024 }] : [];
}

/** The limits that a CA sets for the chain below it. `below` starts with the leaf. */
function authorityFaults(certificate: CertificateInfo, below: readonly CertificateInfo[]): ServingFault[] {
  const { nameConstraints, pathLength: limit } = certificate;
  const dns = below.flatMap(({ dnsNames }) => dnsNames);
  const ip = below.flatMap(({ ipAddresses }) => ipAddresses);
  const names = nameConstraints ? namesOutside(nameConstraints, { dns, ip }) : [];
  const count = below.length - 1;
  return [
    ...(names.length > 0 ? [{ kind: 'name-constraints', certificate, names } as const] : []),
    ...(limit !== undefined && count > limit ? [{ kind: 'path-length', certificate, limit, below: count } as const] : []),
  ];
}
