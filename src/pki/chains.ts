import { type KeyObject, X509Certificate } from 'node:crypto';
import { certificateParts } from './certificate.ts';
import { encode } from './der.ts';
import type { CertificateInfo } from './types.ts';

/** Why the chain ends. `candidate` is the certificate that is closest to being the issuer. */
export type MissingIssuer =
  /** No certificate in the bundle or from the server has the issuer's name. */
  | { readonly reason: 'no-such-issuer' }
  /**
   * As before, but `candidate`, which the server sends, leads to the bundle: the intermediates
   * below it are not sent.
   */
  | { readonly reason: 'intermediate-missing'; readonly candidate: CertificateInfo }
  /** A certificate has the issuer's name, but its key did not make this signature. */
  | { readonly reason: 'other-key'; readonly candidate: CertificateInfo }
  /** A certificate has the issuer's name, but it is not a CA or its keyUsage lacks keyCertSign. */
  | { readonly reason: 'not-a-ca'; readonly candidate: CertificateInfo }
  /**
   * The names have the same text in different encodings. Go compares the bytes, OpenSSL does not.
   */
  | { readonly reason: 'name-encoding'; readonly candidate: CertificateInfo };

/** A chain of certificates that starts with the leaf. */
export interface Chain {
  readonly certificates: readonly CertificateInfo[];
  /** Why it does not reach a root; absent when the last certificate is one of the roots. */
  readonly missing?: MissingIssuer;
}

interface Search {
  readonly intermediates: readonly CertificateInfo[];
  readonly roots: readonly CertificateInfo[];
  /** The number of candidates checked so far. */
  checks: number;
}

/** The number of candidates that Go checks for one leaf (crypto/x509 maxChainSignatureChecks). */
const checkLimit = 100;

/**
 * Finds the chains from a leaf to a root as Go builds them (crypto/x509/verify.go buildChains):
 * issuers match by the bytes of their name and by signature, in any order. Several candidates may
 * have the same name, and every root is an anchor.
 * @returns all chains that reach a root, or the one that explains best what is missing; never empty
 */
export function chainsToRoots(
  leaf: CertificateInfo,
  intermediates: readonly CertificateInfo[],
  roots: readonly CertificateInfo[],
): Chain[] {
  if (roots.some(({ pem }) => pem === leaf.pem)) return [{ certificates: [leaf] }];
  const search = { intermediates, roots, checks: 0 };
  const chains = extend(search, [leaf]);
  const complete = chains.filter(({ missing }) => !missing);
  if (complete.length > 0) return complete;
  const [telling] = chains.sort((one, other) => weight(other) - weight(one));
  if (telling?.missing?.reason !== 'no-such-issuer') return chains.slice(0, 1);
  const candidate = intermediates.find((extra) => extra.isCA && chainsReach(search, extra));
  return [{ ...telling, missing: candidate ? { reason: 'intermediate-missing', candidate } : telling.missing }];
}

const weight = ({ certificates, missing }: Chain): number => certificates.length + (missing?.reason === 'no-such-issuer' ? 0 : checkLimit);

const chainsReach = (search: Search, certificate: CertificateInfo): boolean =>
  search.roots.some(({ pem }) => pem === certificate.pem) || extend(search, [certificate]).some(({ missing }) => !missing);

/** All continuations of a chain, or the chain itself with the reason why it ends. */
function extend(search: Search, chain: readonly CertificateInfo[]): Chain[] {
  const child = chain.at(-1);
  if (!child) return [];
  const near: MissingIssuer[] = [];
  const candidates = [
    ...search.roots.map((certificate) => ({ certificate, isRoot: true })),
    ...search.intermediates.map((certificate) => ({ certificate, isRoot: false })),
  ]
    .filter(({ certificate }) => certificate.subject === child.issuer && !chain.some((member) => sameEntity(member, certificate)))
    .sort((one, other) => Number(sameKeyId(other.certificate, child)) - Number(sameKeyId(one.certificate, child)));
  const found = candidates.flatMap(({ certificate, isRoot }): Chain[] => {
    search.checks += 1;
    if (search.checks > checkLimit) return [];
    const reason = refusal(certificate, child, isRoot);
    if (reason) near.push({ reason, candidate: certificate });
    else return isRoot ? [{ certificates: [...chain, certificate] }] : extend(search, [...chain, certificate]);
    return [];
  });
  if (found.length > 0) return found;
  return [{ certificates: chain, missing: near.find(({ reason }) => reason !== 'other-key') ?? near[0] ?? { reason: 'no-such-issuer' } }];
}

/** Go tries these first, which matters when there are more candidates than its limit. */
const sameKeyId = (issuer: CertificateInfo, child: CertificateInfo): boolean => issuer.subjectKeyId === child.authorityKeyId;

/**
 * A second certificate with the same name and key would make a loop (crypto/x509 alreadyInChain).
 */
const sameEntity = (one: CertificateInfo, other: CertificateInfo): boolean =>
  one.subject === other.subject && publicKeyOf(one).equals(publicKeyOf(other)) && String(one.dnsNames) === String(other.dnsNames);

/** The public key of a certificate. It is parsed once. */
export const publicKeyOf = (certificate: CertificateInfo): KeyObject => parsed(certificate).publicKey;

/** A search asks for the same certificate many times. */
const known = new WeakMap<CertificateInfo, X509Certificate>();

function parsed(certificate: CertificateInfo): X509Certificate {
  const found = known.get(certificate) ?? new X509Certificate(certificate.pem);
  known.set(certificate, found);
  return found;
}

type Mismatch = 'other-key' | 'name-encoding' | undefined;

/** What is wrong between a certificate and an issuer. Several checks verify the same chain. */
const mismatches = new WeakMap<CertificateInfo, WeakMap<CertificateInfo, { readonly found: Mismatch }>>();

function mismatch(child: CertificateInfo, issuer: CertificateInfo): Mismatch {
  const compared = mismatches.get(child) ?? new WeakMap<CertificateInfo, { readonly found: Mismatch }>();
  mismatches.set(child, compared);
  const result = compared.get(issuer) ?? { found: compare(child, issuer) };
  compared.set(issuer, result);
  return result.found;
}

function compare(child: CertificateInfo, issuer: CertificateInfo): Mismatch {
  if (!parsed(child).verify(publicKeyOf(issuer))) return 'other-key';
  const sameName = encode(certificateParts(parsed(issuer).raw).subject).equals(encode(certificateParts(parsed(child).raw).issuer));
  return sameName ? undefined : 'name-encoding';
}

/**
 * Why a certificate with the issuer's name is not the issuer; undefined when it is (crypto/x509
 * CheckSignatureFrom).
 */
function refusal(candidate: CertificateInfo, child: CertificateInfo, isRoot: boolean): Mismatch | 'not-a-ca' {
  const found = mismatch(child, candidate);
  if (found) return found;
  // X.509 version 1 has no extensions, so that a root cannot declare that it is a CA.
  const isCA = candidate.isCA ?? (isRoot && certificateParts(parsed(candidate).raw).version < 3);
  return isCA && (candidate.keyUsage?.includes('keyCertSign') ?? true) ? undefined : 'not-a-ca';
}
