import { X509Certificate } from 'node:crypto';
import type { CertificateFault, PemFault } from './certificate-faults.ts';
import { clockSkewMs } from './clock-skew.ts';
import { authorityKeyIdentifier, caConstraints, keyIdentifier, keyUsage, nameConstraints, subjectKeyIdentifier } from './extensions.ts';
import { inspect } from './inspect.ts';
import { generateKeyPair, readPrivateKey, toPrivateKey } from './keys.ts';
import { toPem } from './pem.ts';
import type { Authority, CertificateInfo, Inspection, KeyType, ServingNames } from './types.ts';
import { distinguishedName, signCertificate } from './x509.ts';

export interface AuthorityRequest {
  /** Truncated to 64 characters, the maximum of RFC 5280 (ub-common-name). */
  readonly commonName: string;
  readonly keyType: KeyType;
  /** From `now` on. */
  readonly lifetimeMs: number;
  /** Limits the CA to these names. Without it, the CA can issue for any name. */
  readonly constrainTo?: ServingNames;
  readonly now: Date;
}

/** Creates a self-signed CA that can issue leaf certificates but no CAs (pathLenConstraint 0). */
export async function createAuthority({ commonName, keyType, lifetimeMs, constrainTo, now }: AuthorityRequest): Promise<Authority> {
  const { publicKey, privateKey } = await generateKeyPair(keyType);
  const keyId = keyIdentifier(publicKey);
  const subject = distinguishedName({ commonName: [...commonName].slice(0, 64).join('') });
  const der = signCertificate(
    {
      subject,
      issuer: subject,
      publicKey,
      notBefore: new Date(now.getTime() - clockSkewMs),
      notAfter: new Date(now.getTime() + lifetimeMs),
      extensions: [
        caConstraints(0),
        keyUsage('keyCertSign', 'cRLSign'),
        subjectKeyIdentifier(keyId),
        authorityKeyIdentifier(keyId),
        ...(constrainTo ? [nameConstraints(constrainTo)] : []),
      ],
    },
    privateKey,
  );
  return { certificates: toPem('CERTIFICATE', der), key: toPrivateKey(privateKey) };
}

export interface ExistingAuthority {
  /** PEM of the CA's certificate; the CAs above it and others may be in it too. */
  readonly certificates: string;
  /** PEM of its private key. */
  readonly key: string;
  readonly passphrase?: string;
  readonly now: Date;
}

export interface LoadedAuthority {
  /** Absent when there are faults. */
  readonly authority?: Authority;
  readonly faults: readonly CertificateFault[];
}

/**
 * Loads an existing CA, for instance the cluster's own. Of several certificates, the one that
 * matches the key signs. The CAs above it are kept, in any order.
 * @returns the CA, or every fault for which it cannot sign now. `passphrase-needed`: ask and load
 * again
 */
export function loadAuthority({ certificates, key, passphrase, now }: ExistingAuthority): LoadedAuthority {
  const found = inspect(certificates);
  const { key: privateKey, fault } = readPrivateKey(key, passphrase === undefined ? {} : { passphrase });
  const faults: CertificateFault[] = [
    ...(found.certificates.length === 0 ? [{ part, ...noCertificate(found) }] : []),
    ...(fault ? [{ part: 'caKey', ...fault } as const] : []),
  ];
  if (!privateKey || faults.length > 0) return { faults };
  const signing = newestFirst(found.certificates).find(({ pem }) => new X509Certificate(pem).checkPrivateKey(privateKey));
  if (!signing) return { faults: [{ part: 'caKey', code: 'key-mismatch', subjects: found.certificates.map(({ subject }) => subject) }] };
  const unfit = signingFaults(signing, now);
  if (unfit.length > 0) return { faults: unfit };
  const chain = chainUp(signing, found.certificates);
  return { authority: { certificates: chain.map(({ pem }) => pem).join(''), key: toPrivateKey(privateKey) }, faults: [] };
}

const part = 'caCertificate' as const;

/** Why a text holds no certificate at all. */
export function noCertificate({ items }: Inspection): PemFault {
  const damaged = items.find((item) => item.kind === 'broken');
  if (damaged) return { code: 'damaged-certificate', line: damaged.line, reason: damaged.reason };
  return { code: 'no-certificate', found: items.some(({ kind }) => kind === 'private-key') ? 'private-key' : 'nothing' };
}

/**
 * A renewed CA keeps its key, so that both certificates match it. The one that expires later
 * counts.
 */
const newestFirst = (certificates: readonly CertificateInfo[]): CertificateInfo[] =>
  [...certificates].sort((one, other) => Date.parse(other.notAfter) - Date.parse(one.notAfter));

/** Why a CA cannot sign certificates now. */
function signingFaults(
  { subject, isCA, keyUsage: usages, notBefore, notAfter, publicKey: key }: CertificateInfo,
  now: Date,
): CertificateFault[] {
  const time = now.getTime();
  return [
    ...(isCA === true ? [] : [{ part, code: 'not-a-ca', subject, basicConstraints: isCA === false } as const]),
    ...(isCA === true && usages && !usages.includes('keyCertSign') ? [{ part, code: 'no-cert-sign', subject } as const] : []),
    ...(isWeak(key) ? [{ part, code: 'weak-key', subject, key } as const] : []),
    ...(Date.parse(notAfter) < time ? [{ part, code: 'expired', subject, notAfter } as const] : []),
    ...(Date.parse(notBefore) > time ? [{ part, code: 'not-yet-valid', subject, notBefore } as const] : []),
  ];
}

/**
 * OpenSSL refuses RSA keys below 2048 bits at its default security level
 * (SSL_CTX_set_security_level(3), level 2), and Go those below 1024 bits (crypto/rsa since 1.24).
 */
const isWeak = (key: string): boolean => Number(/^rsa-(\d+)$/.exec(key)?.[1] ?? Number.POSITIVE_INFINITY) < 2048;

/** The certificate, its issuer, the issuer's issuer and so on, as far as the pool has them. */
function chainUp(start: CertificateInfo, pool: readonly CertificateInfo[]): CertificateInfo[] {
  const chain = [start];
  for (let current: CertificateInfo | undefined = start; current && !current.selfSigned; ) {
    const child = new X509Certificate(current.pem);
    current = pool.find((candidate) => !chain.includes(candidate) && isIssuer(new X509Certificate(candidate.pem), child));
    if (current) chain.push(current);
  }
  return chain;
}

const isIssuer = (candidate: X509Certificate, child: X509Certificate): boolean =>
  child.checkIssued(candidate) && child.verify(candidate.publicKey);
