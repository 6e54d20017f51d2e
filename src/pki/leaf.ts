import { createPrivateKey, X509Certificate } from 'node:crypto';
import { UsageError } from '../errors.ts';
import { certificateParts } from './certificate.ts';
import { certificateInfo } from './certificate-info.ts';
import { clockSkewMs } from './clock-skew.ts';
import {
  authorityKeyIdentifier,
  endEntityConstraints,
  extendedKeyUsage,
  keyIdentifier,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
  type Usage,
} from './extensions.ts';
import { generateKeyPair, toPrivateKey } from './keys.ts';
import { namesOutside } from './name-constraints.ts';
import { toPem } from './pem.ts';
import { certificateBlocks } from './pem-blocks.ts';
import type { Authority, CertificateInfo, KeyType, Leaf, ServingNames } from './types.ts';
import { distinguishedName, type Subject, signCertificate } from './x509.ts';

export interface ServingRequest {
  /**
   * May be pending: the key of the leaf is generated in the meantime, which saves time with RSA.
   */
  readonly authority: Authority | Promise<Authority>;
  readonly names: ServingNames;
  readonly keyType: KeyType;
  /** From `now` on. */
  readonly lifetimeMs: number;
  readonly now: Date;
}

export interface LeafRequest extends ServingRequest {
  readonly subject: Subject;
  readonly usages: readonly Usage[];
}

/** Longest common name that RFC 5280 allows (ub-common-name). */
const commonNameLimit = 64;

/**
 * Issues a serving certificate for these names, with serverAuth only. The common name is the first
 * DNS name if it fits; current clients ignore it.
 * @throws UsageError as `issue` does
 */
export const issueServing = (request: ServingRequest): Promise<Leaf> =>
  issue({ ...request, subject: servingSubject(request.names), usages: ['serverAuth'] });

/** The subject of a serving certificate: the first DNS name if it fits. */
export function servingSubject({ dns: [commonName] }: ServingNames): Subject {
  return commonName !== undefined && commonName.length <= commonNameLimit ? { commonName } : {};
}

/**
 * Generates a key and issues a certificate for it, signed by the authority's first certificate.
 * @returns the certificate, followed by the authority's intermediates
 * @throws UsageError when the CA expires before the certificate would, or does not allow one of the
 * names
 */
export async function issue(request: LeafRequest): Promise<Leaf> {
  const { authority, subject, names, usages, keyType, lifetimeMs, now } = request;
  const keyPair = generateKeyPair(keyType);
  const { certificates, key } = await authority;
  const chain = certificateBlocks(certificates).map((der) => ({ der, info: certificateInfo(der) }));
  const [issuer] = chain;
  if (!issuer) throw new UsageError('the CA has no certificate');
  const notAfter = new Date(now.getTime() + lifetimeMs);
  refuseUnlessAllowed(
    chain.map(({ info }) => info),
    request,
    notAfter,
  );
  const { publicKey, privateKey } = await keyPair;
  const leaf = signCertificate(
    {
      subject: distinguishedName(subject),
      issuer: certificateParts(issuer.der).subject,
      publicKey,
      notBefore: new Date(Math.max(now.getTime() - clockSkewMs, Date.parse(issuer.info.notBefore))),
      notAfter,
      extensions: [
        endEntityConstraints(),
        // In TLS 1.2 without forward secrecy, RSA keys also decrypt the client's secret.
        keyType.startsWith('rsa') ? keyUsage('digitalSignature', 'keyEncipherment') : keyUsage('digitalSignature'),
        extendedKeyUsage(usages),
        subjectKeyIdentifier(keyIdentifier(publicKey)),
        authorityKeyIdentifier(authorityKeyId(issuer)),
        ...(names.dns.length + names.ip.length > 0 ? [subjectAltName(names, isEmpty(subject))] : []),
      ],
    },
    createPrivateKey(key.reveal()),
  );
  const presented = [leaf, ...chain.filter(({ info }) => !info.selfSigned).map(({ der }) => der)];
  return { certificates: presented.map((der) => toPem('CERTIFICATE', der)).join(''), key: toPrivateKey(privateKey) };
}

const isEmpty = ({ commonName, organizations = [] }: Subject): boolean => commonName === undefined && organizations.length === 0;

/** The subject key identifier of the CA, whose bytes verifiers compare. An old CA may have none. */
function authorityKeyId({ der, info }: { readonly der: Buffer; readonly info: CertificateInfo }): Buffer {
  return info.subjectKeyId === undefined ? keyIdentifier(new X509Certificate(der).publicKey) : Buffer.from(info.subjectKeyId, 'hex');
}

const dayMs = 86_400_000;

/** A certificate would outlive its CA. What to do depends on the command, which sets the fix. */
export class OutlivesAuthorityError extends UsageError {
  constructor(
    message: string,
    /** The longest lifetime that the CA allows, as a duration. undefined for less than a day. */
    readonly longestLifetime: string | undefined,
  ) {
    super(message, { fix: 'Use a CA that expires later.' });
  }
}

/** The name constraints of a CA exclude names. What to do depends on the command, too. */
export class NotPermittedError extends UsageError {
  constructor(message: string) {
    super(message, { fix: 'Use a CA without these name constraints, or remove the names.' });
  }
}

/** Checks every CA of the chain as a verifier does. `depth` is the number of CAs below it. */
function refuseUnlessAllowed(chain: readonly CertificateInfo[], { names, usages, now }: LeafRequest, notAfter: Date): void {
  for (const [depth, ca] of chain.entries()) {
    const end = `${notAfter.toISOString().slice(0, 19)}.000Z`;
    if (ca.notAfter < end) {
      const [sooner, later] = apart(ca.notAfter, end);
      const days = Math.floor((Date.parse(ca.notAfter) - now.getTime()) / dayMs);
      throw new OutlivesAuthorityError(
        `the CA ${ca.subject} expires on ${sooner}, before the new certificate would expire (${later})`,
        days < 1 ? undefined : `${days}d`,
      );
    }
    const outside = ca.nameConstraints ? namesOutside(ca.nameConstraints, names) : [];
    if (outside.length > 0) {
      throw new NotPermittedError(
        `the CA ${ca.subject} cannot issue a certificate for ${outside.join(', ')}: the name constraints of the CA do not permit these names`,
      );
    }
    if (ca.pathLength !== undefined && ca.pathLength < depth) {
      throw new UsageError(
        `the CA ${ca.subject} allows at most ${ca.pathLength} CAs below it (pathLenConstraint), but the chain has ${depth}`,
        { fix: 'Use a chain with fewer intermediate CAs, or CAs with a higher pathLenConstraint.' },
      );
    }
    // Go and OpenSSL require it, RFC 5280 does not: a CA's purposes limit those of its
    // certificates.
    const missing = usages.filter(
      (usage) => ca.extendedKeyUsage && !ca.extendedKeyUsage.includes(usage) && !ca.extendedKeyUsage.includes('any'),
    );
    if (missing.length > 0) {
      throw new UsageError(
        `the CA ${ca.subject} cannot issue the certificate: the extendedKeyUsage of the CA does not include ${missing.join(' and ')}`,
        { fix: `Use a CA whose extendedKeyUsage includes ${missing.join(' and ')}, or a CA without extendedKeyUsage.` },
      );
    }
  }
}

/** Two ISO times as days, or in full when both are on the same day. */
const apart = (one: string, other: string): [string, string] =>
  one.slice(0, 10) === other.slice(0, 10) ? [one, other] : [one.slice(0, 10), other.slice(0, 10)];
