import { X509Certificate } from 'node:crypto';
import { UsageError } from '../errors.ts';
import { clockSkewMs } from './clock-skew.ts';
import { authorityKeyIdentifier, caConstraints, keyIdentifier, keyUsage, nameConstraints, subjectKeyIdentifier } from './extensions.ts';
import { inspect } from './inspect.ts';
import { generateKeyPair, readPrivateKey, toPrivateKey } from './keys.ts';
import { toPem } from './pem.ts';
import type { Authority, CertificateInfo, Inspection, KeyType, ServingNames } from './types.ts';
import { distinguishedName, signCertificate } from './x509.ts';

export interface AuthorityRequest {
  /** Cut to 64 characters, the most that RFC 5280 allows (ub-common-name). */
  readonly commonName: string;
  readonly keyType: KeyType;
  /** From `now` on. */
  readonly lifetimeMs: number;
  /** Limits the CA to these names; without it, it can issue for any name. */
  readonly constrainTo?: ServingNames;
  readonly now: Date;
}

/** Makes a self-signed CA that can issue leaf certificates but no further CAs (pathLenConstraint 0). */
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
  /** PEM of the CA's certificate, perhaps with the CAs above it and others around. */
  readonly certificates: string;
  /** PEM of its private key. */
  readonly key: string;
  readonly passphrase?: string;
  readonly now: Date;
}

/**
 * Takes a CA that exists already, for instance the cluster's own. Of several certificates the one that belongs to the key issues; the
 * CAs above it that are there come along, whatever their order.
 * @throws PassphraseNeeded when the key is encrypted and there is no passphrase
 * @throws UsageError when certificate and key are unusable, do not belong together, or are no CA that can sign now
 */
export function loadAuthority({ certificates, key, passphrase, now }: ExistingAuthority): Authority {
  const found = inspect(certificates);
  if (found.certificates.length === 0)
    throw new UsageError(noCertificate(found), { fix: 'Give the file with the CA certificate, in PEM.' });
  const privateKey = readPrivateKey(key, passphrase === undefined ? {} : { passphrase });
  const issuing = newestFirst(found.certificates).find(({ pem }) => new X509Certificate(pem).checkPrivateKey(privateKey));
  if (!issuing) {
    const subjects = found.certificates.map(({ subject }) => subject).join(' and ');
    throw new UsageError(`the CA key does not belong to the CA certificate (${subjects})`, {
      fix: 'Give the certificate and the key of the same CA.',
    });
  }
  refuseUnlessSigning(issuing, now);
  const chain = chainUp(issuing, found.certificates);
  return { certificates: chain.map(({ pem }) => pem).join(''), key: toPrivateKey(privateKey) };
}

function noCertificate({ items }: Inspection): string {
  const fault = items.find((item) => item.kind === 'broken');
  if (fault) return `the CA certificate in line ${fault.line} is broken: ${fault.reason}`;
  if (items.some(({ kind }) => kind === 'private-key'))
    return 'the CA certificate file holds a private key where a certificate is expected';
  return 'the CA certificate file holds no certificate';
}

/** A renewed CA keeps its key: both certificates belong to it, and the one that lives longer is meant. */
const newestFirst = (certificates: readonly CertificateInfo[]): CertificateInfo[] =>
  [...certificates].sort((one, other) => Date.parse(other.notAfter) - Date.parse(one.notAfter));

function refuseUnlessSigning({ subject, isCA, keyUsage: usages, notBefore, notAfter }: CertificateInfo, now: Date): void {
  if (isCA !== true)
    throw new UsageError(
      `${subject} is not a CA: ${isCA === undefined ? 'it has no basicConstraints' : 'its basicConstraints say CA:FALSE'}`,
    );
  if (usages && !usages.includes('keyCertSign'))
    throw new UsageError(`the CA ${subject} may not sign certificates: its keyUsage lacks keyCertSign`);
  if (Date.parse(notAfter) < now.getTime()) throw new UsageError(`the CA ${subject} expired on ${notAfter}`);
  if (Date.parse(notBefore) > now.getTime()) throw new UsageError(`the CA ${subject} is not valid before ${notBefore}`);
}

/** The certificate, its issuer, the issuer's issuer and so on, as far as they are there. */
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
